"""Harnesses that attack: hostile clients, floods, guesses, odd bodies; and the search for secrets."""
