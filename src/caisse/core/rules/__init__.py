"""The rules of the money: one function for each kind of request; pure."""
