"""From the words of the annuaire to FHIR and back (FR Core, AS profiles)."""
