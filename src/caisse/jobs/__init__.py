"""What runs beside the server, on threads and connections of its own."""
