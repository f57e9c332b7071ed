"""Check a resource against profiles, from their StructureDefinitions."""
