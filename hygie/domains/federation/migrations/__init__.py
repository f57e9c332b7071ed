"""Migrations of links, attempts and doubtful cases."""
