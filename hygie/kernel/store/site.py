"""What a server knows of itself when it reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from hygie.kernel.fhir.search.dates import PARIS


@dataclass(frozen=True, slots=True)
class Site:
    """Where a server stands.

    Attributes:
        base: its FHIR base URL: references written with it are to its own resources.
        zone: the zone of dates that are written without one.
    """

    base: str
    zone: tzinfo = PARIS
