"""``_summary`` and ``_elements`` (FHIR R4, search.html#summary, #elements), on the bytes.

The parts that stay are the bytes that were sent. Subsetting acts on top-level elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.definitions import mandatory_elements, summary_elements
from hygie.kernel.fhir.splice import keep_members, without_members
from hygie.kernel.store.model import Stored

_SUMMARIES = frozenset({"true", "text", "data", "count", "false"})


@dataclass(frozen=True, slots=True)
class Subset:
    """Which part of each resource is answered."""

    summary: str = "false"
    elements: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> Subset:
        """Return the subset that the parameters ask for.

        Raises:
            InvalidRequest: ``_summary`` has another value than the standard's.
        """
        summary, elements = "false", list[str]()
        for name, value in pairs:
            if name == "_summary":
                summary = value
            elif name == "_elements":
                elements += [part.strip() for part in value.split(",") if part.strip()]
        if summary not in _SUMMARIES:
            raise InvalidRequest("_summary is true, text, data, count or false.")
        return cls(summary, tuple(elements))

    def apply(self, stored: Stored) -> bytes:
        """Return the part of a resource that is answered; modifier extensions always stay."""
        body = stored.body or b""
        if self.elements:
            names = {name.removeprefix(f"{stored.rt}.").partition(".")[0] for name in self.elements}
            return _keep(body, stored.rt, names)
        if self.summary == "true":
            return _keep(body, stored.rt, set(summary_elements(stored.rt)))
        if self.summary == "text":
            return _keep(body, stored.rt, {"text"})
        if self.summary == "data":
            return without_members(body, {"text"})
        return body


def _keep(body: bytes, rt: str, names: set[str]) -> bytes:
    kept = names | mandatory_elements(rt) | {"implicitRules", "modifierExtension"}
    return keep_members(body, kept | {f"_{name}" for name in kept})
