"""The seamless dialect Kyren V1."""
