"""Between FHIR resources and the rights: requests, choices, provenance, readable lines."""
