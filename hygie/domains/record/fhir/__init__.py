"""From FHIR JSON to the model. The only place of this domain that reads JSON."""
