"""The rights of a person over their data: access, portability, rectification, restriction, erasure.

Requests are FHIR Tasks, choices are Consents, a rectified version carries a Provenance (FHIR R4,
task.html, consent.html, provenance.html). Law: GDPR articles 12 to 22, 30, 33 and 35. The tables of
``definitions`` hold what a text can change: retention, purposes, outbound flows.
"""
