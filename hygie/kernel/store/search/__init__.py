"""Search (FHIR R4, search.html): from parameters to one SQL statement that carries a decision."""
