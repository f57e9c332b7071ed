"""What a server knows of itself when it reads and writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo
from secrets import token_hex

from hygie.kernel.fhir.search.dates import PARIS
from hygie.kernel.security.secret import Sealer


@dataclass(frozen=True, slots=True)
class Site:
    """Where a server stands.

    Attributes:
        base: its FHIR base URL: references written with it are to its own resources.
        zone: the zone of dates that are written without one.
        sealer: seals what paging links carry; one of its own for a server without a secret, so
            that its links end with it.
    """

    base: str
    zone: tzinfo = PARIS
    sealer: Sealer = field(default_factory=lambda: Sealer(token_hex(), purpose=PAGING), repr=False)


PAGING = "paging links"
