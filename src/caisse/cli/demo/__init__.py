"""What `caisse demo` plays and shows."""
