"""The machine face: FHIR REST over ASGI, one file per interaction (FHIR R4, http.html)."""
