"""The kernel: a FHIR R4 repository that knows no domain."""
