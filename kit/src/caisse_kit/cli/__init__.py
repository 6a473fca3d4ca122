"""The command `caisse-kit`."""
