"""The HTTP door frame: it carries requests in and answers out, and knows nothing of money."""
