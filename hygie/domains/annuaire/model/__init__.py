"""Words of the annuaire: what a line says, numbers and their keys, code lists, places."""
