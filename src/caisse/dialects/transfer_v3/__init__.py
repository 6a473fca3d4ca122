"""The transfer dialect, edition 3."""
