"""A second repository, naive and in memory, that says what searches must answer.

Plain dictionaries and loops, written from FHIR R4 search.html. It shares with the store nothing but
the table of SearchParameters, so that a fault of one is not a fault of the other.
"""

from hygie.testing.oracle.matching import BASE
from hygie.testing.oracle.searching import Answer, Oracle

__all__ = ["BASE", "Answer", "Oracle"]
