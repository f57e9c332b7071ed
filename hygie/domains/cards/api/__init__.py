"""The mutual-TLS listener: a port of its own with nothing but the sign-in by card."""
