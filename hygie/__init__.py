"""Hygie: an open e-health platform for France on FHIR R4."""

__version__ = "0.1.0"
