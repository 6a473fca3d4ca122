"""caisse: a wallet service whose refunds are exact, final and provable."""
