"""Migrations of invitations, mandates of desks and measures."""
