"""What a load did, and what it refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hygie.kernel.errors import Issue
from hygie.kernel.fhir.outcome import outcome


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that was refused, or loaded with a warning.

    ``entry`` is its index in the source, from 0; ``reference`` is ``Type/id`` where known.
    """

    source: str
    entry: int
    reference: str | None
    issues: Sequence[Issue]

    @property
    def refused(self) -> bool:
        """Tell whether the entry was refused."""
        return any(issue.severity in ("error", "fatal") for issue in self.issues)

    def line(self) -> bytes:
        """Return the line of the report, with an OperationOutcome."""
        fields: dict[str, Any] = {"file": self.source, "entry": self.entry}
        if self.reference is not None:
            fields["resource"] = self.reference
        fields["outcome"] = msgspec.Raw(outcome(self.issues))
        return msgspec.json.encode(fields) + b"\n"


@dataclass(slots=True)
class LoadReport:
    """The counts of one load.

    Attributes:
        created: how many resources are new, by type.
        updated: how many have a new version.
        unchanged: how many were there already with the same content.
        refused: how many were refused.
        warnings: how many warnings, such as references that lead nowhere.
        sources_done: how many sources an earlier load had finished.
    """

    created: Counter[str] = field(default_factory=Counter)
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    warnings: int = 0
    sources_done: int = 0

    @property
    def total(self) -> int:
        """Return how many resources were looked at."""
        return self.created.total() + self.updated + self.unchanged + self.refused


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load is: ``share`` of all sources, 0 to 1, and resources looked at."""

    share: float
    resources: int
