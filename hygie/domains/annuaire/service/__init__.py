"""What the annuaire does: import, find, publish."""
