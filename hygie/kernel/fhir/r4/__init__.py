"""HL7 FHIR R4 4.0.1: definitions and generated types; see SOURCE.md."""
