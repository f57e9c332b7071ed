"""FHIR R4: types, validation, byte-level editing, definitions."""
