"""What several wings of the suite share: databases, servers, ledgers and the calls of a casino."""
