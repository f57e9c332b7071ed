"""The annuaire: professionals, their roles and structures as FHIR, and who is listed publicly.

Practitioner, PractitionerRole, Organization and Location in the shape of FR Core and of the
Annuaire Santé (AS) profiles; import of the open extractions (Annuaire Santé, FINESS); search for
patients and professionals and, among those who chose it alone, for everybody. A public listing is a
HealthcareService (ADR 0031).
"""
