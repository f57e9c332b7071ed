"""What helping is made of: scopes, states, limits, measures of protection."""
