"""Oversight: who looked, and whether there was a reason."""
