"""The seamless dialect, edition 3."""
