"""The audit: its own reading of rows, its own sums, its own hashes; shares no code with the server."""
