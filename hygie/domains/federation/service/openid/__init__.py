"""The OpenID client: what it sends, what it accepts, what it refuses."""
