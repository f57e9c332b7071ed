"""What a record says, as plain values: no input, no output, no language but the stored text's.

Days are kept as FHIR writes them, with their precision: ``2019``, ``2019-05`` or ``2019-05-03``.
"""
