"""The seamless dialect, edition 4."""
