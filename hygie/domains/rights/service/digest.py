"""What the readable parts of an export are made from: the newest lines and the counts, bounded."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from hygie.domains.rights.fhir.lines import Json, Line, line

MOST_LINES = 5_000
"""Lines of the PDF and of the page; older ones stand in the data files."""


@dataclass(slots=True)
class Digest:
    """Keeps the newest lines of a record, whatever its size.

    Attributes:
        person: the Patient resource, empty before it was met.
        counts: how many resources of each type.
        choices: lines of the choices and care teams.
    """

    person: Json = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    choices: list[Line] = field(default_factory=list)
    _newest: list[Line] = field(default_factory=list)

    def take(self, resource: Json) -> None:
        """Take one current resource."""
        rt = str(resource["resourceType"])
        self.counts[rt] += 1
        if rt == "Patient":
            self.person = resource
        elif rt in ("Consent", "CareTeam"):
            self.choices.append(line(resource))
        elif rt not in ("Binary", "Provenance"):
            self._keep(line(resource))

    @property
    def lines(self) -> list[Line]:
        """Return the lines, newest first."""
        return sorted(self._newest, reverse=True)

    @property
    def complete(self) -> bool:
        """Tell whether no line was left out."""
        return len(self._newest) < MOST_LINES

    def _keep(self, one: Line) -> None:
        if len(self._newest) < MOST_LINES:
            heapq.heappush(self._newest, one)
        else:
            heapq.heappushpop(self._newest, one)
