"""Pages: the sign-in by card, and the reading of a carte Vitale by a professional."""
