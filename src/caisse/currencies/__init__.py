"""The table of currencies, and the reader of an operator's changes to it."""
