"""Invite, accept, act, leave; mandates of a desk; parents and guardians."""
