"""The pages of accounts: the door, one's own security, the desk and the practice."""
