"""Domains: each owns one part of care and meets the others through FHIR resources only."""
