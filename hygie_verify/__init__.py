"""Verify an exported access log offline; imports nothing of Hygie."""
