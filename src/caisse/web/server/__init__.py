"""HTTP/1.1 over sockets, within limits; knows nothing of caisse."""
