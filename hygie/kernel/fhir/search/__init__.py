"""Search on FHIR resources: what each parameter reads, and what each value in a URL means.

- ``registry.parameters(rt)``: the search parameters of a resource type;
- ``extract.extract(resource)``: the search values of a resource, ``extract.patients(resource)`` its
  Patient compartments;
- ``values``: the syntax of search values; ``fold.fold`` and ``ucum.canonical_quantity`` bring both
  sides to a comparable form.

Standard: FHIR R4 4.0.1, search.html and searchparameter-registry.html.
"""
