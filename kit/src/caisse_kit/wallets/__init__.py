"""Wallets to try the kit on: right ones, and many that are wrong in one way each."""
