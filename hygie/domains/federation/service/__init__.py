"""Use cases of outside identity."""
