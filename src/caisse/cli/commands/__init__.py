"""One module for each command: it reads options, asks the office, prints."""
