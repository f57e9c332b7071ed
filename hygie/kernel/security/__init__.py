"""Who may do what: callers, the policy algebra and the decisions taken from it."""
