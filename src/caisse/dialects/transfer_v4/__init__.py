"""The transfer dialect, edition 4."""
