"""The load: which requests, in which order, sent how."""
