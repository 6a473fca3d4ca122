"""The only path to the ledger: group commit, its limits, and what a lane keeps of its own batches."""
