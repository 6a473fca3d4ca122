"""A run as text, JSON, JUnit XML and HTML."""
