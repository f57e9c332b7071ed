"""What a user has open, kept for the session, told to the tools that follow."""
