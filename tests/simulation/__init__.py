"""Whole servers on a simulated loop, clock and store, from a seed."""
