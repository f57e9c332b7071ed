"""Notices: what the person is told, and never any health content.

A notice is an event of kind ``notice`` in the outbox. Its payload is JSON: ``what`` (a
:class:`Notice`), ``party`` (number of who is told), ``about`` (number of the patient), ``by``
(reference of who did it, empty where nobody did), ``item`` (reference of the resource it points to,
empty where none) and ``secret`` (True: the person alone is told, never a representative). Whoever
shows notices chooses words and channel.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

import msgspec

from hygie.kernel.outbox.job import Event

KIND = "notice"


class Notice(StrEnum):
    """What a notice is about."""

    FIRST_ACCESS = "first-access"
    """A professional who had never read the record did."""
    EMERGENCY_ACCESS = "emergency-access"
    """A professional declared an emergency, or Centre 15 a call."""
    NEW_DOCUMENT = "new-document"
    """A document arrived in the record."""
    ANNOUNCED = "announced"
    """What waited for an announcement is now shown."""
    RETENTION_OVER = "retention-over"
    """A closed record was kept as long as the law wants: destruction is proposed, never done."""
    MEMBERSHIP_ENDED = "membership-ended"
    """Somebody left the care team because the time was over."""
    MEMBERSHIP_PROLONGED = "membership-prolonged"
    """A professional stays in the care team for longer, by their own hand."""


@dataclass(frozen=True, slots=True)
class Message:
    """One notice; ``key`` makes two of the same one."""

    what: Notice
    party: int
    key: str
    by: str = ""
    item: str = ""
    secret: bool = False

    def event(self) -> Event:
        """Return the event for the outbox."""
        payload = {**asdict(self), "what": self.what.value, "about": self.party}
        del payload["key"]
        return Event(KIND, msgspec.json.encode(payload), key=f"{self.what.value}:{self.key}")
