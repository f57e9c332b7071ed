"""From what the generator knows to FHIR R4 resources in the shapes of FR Core 2.1."""
