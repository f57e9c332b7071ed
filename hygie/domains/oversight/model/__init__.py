"""What explains an access, what makes it unusual, and the states of a review."""
