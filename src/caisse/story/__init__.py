"""What happened to an id, as events and in words; reads nothing by itself."""
