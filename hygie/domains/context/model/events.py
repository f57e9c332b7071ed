"""The events of FHIRcast that the hub knows, and who may hear or send them.

Source: FHIRcast 3.0.0, sections 2.2 (scopes), 2.3 (events) and 3 (catalogue); ``Heartbeat`` is of
version 2.0, section 2.5, for subscribers that still ask for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hygie.kernel.errors import Forbidden, InvalidRequest

Act = Literal["read", "write"]
KEYS: Mapping[str, str] = {
    "Patient": "patient",
    "Encounter": "encounter",
    "DiagnosticReport": "report",
    "ImagingStudy": "study",
}
"""The key of each type in a context."""
TYPES = {key: rt for rt, key in KEYS.items()}
SYNC_ERROR, LOGOUT, HIBERNATE = "SyncError", "UserLogout", "UserHibernate"
HEARTBEAT = "Heartbeat"
EVENTS = (
    *(f"{rt}-{verb}" for rt in KEYS for verb in ("open", "close")),
    *(LOGOUT, HIBERNATE, SYNC_ERROR, HEARTBEAT),
)
_BY_FOLDED = {name.casefold(): name for name in EVENTS}
_HUB_ONLY = frozenset({HEARTBEAT})
MOST_NAMES = 40


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in the session of a user.

    Attributes:
        id: unique in its topic, chosen by who sent it.
        name: a name of ``EVENTS``.
        at: when it occurred, with its zone.
        subjects: id of the resource by key (``patient``); for an error, what it is about.
        sender: client id of the application, empty for the pages of Hygie.
        source: number of the follower an error is about, which does not hear of it.
        num: place among the events, 0 before it is kept.
    """

    id: str
    name: str
    at: datetime
    subjects: Mapping[str, str]
    sender: str = ""
    source: int | None = None
    num: int = 0

    @property
    def focus(self) -> str:
        """Return the resource type it opens or closes, empty for the other events."""
        rt, _, verb = self.name.partition("-")
        return rt if verb else ""

    @property
    def opens(self) -> bool:
        """Tell whether it opens a context."""
        return self.name.endswith("-open")

    @property
    def patient(self) -> str:
        """Return the id of its Patient, empty where it names none."""
        return self.subjects.get("patient", "") if self.focus else ""

    def within(self, names: Iterable[str]) -> Event | None:
        """Return it as a follower of these events hears it, None where it does not.

        Who follows patients alone hears of the patient of an encounter that opens (section 2.5,
        "Hub Generated open Events").
        """
        names = set(names)
        if self.name in names:
            return self
        if self.opens and self.patient and "Patient-open" in names:
            return replace(
                self,
                id=f"{self.id}:patient",
                name="Patient-open",
                subjects={"patient": self.patient},
            )
        return None


def canonical(name: str) -> str:
    """Return the name of an event as the catalogue writes it; case does not count.

    >>> canonical("patient-OPEN"), canonical("userlogout")
    ('Patient-open', 'UserLogout')

    Raises:
        InvalidRequest: the hub does not know it.
    """
    found = _BY_FOLDED.get(name.strip().casefold())
    if found is None:
        raise InvalidRequest(f"The hub knows no event {name.strip()[:60]}.")
    return found


def allows(scope: Iterable[str], name: str, act: Act) -> bool:
    """Tell whether the words of a scope allow an act on an event.

    >>> allows(["fhircast/Patient-open.read"], "Patient-open", "write")
    False
    >>> allows(["openid", "fhircast/*.*"], "Patient-open", "write")
    True
    """
    held = {word.casefold() for word in scope}
    event = name.casefold()
    return any(f"fhircast/{named}.{verb}" in held for named in (event, "*") for verb in (act, "*"))


def granted(asked: str, scope: Iterable[str]) -> list[str]:
    """Return the events of a list that a scope lets be heard, each once, in order.

    Raises:
        InvalidRequest: the list is empty, too long, or names an event the hub does not know.
        Forbidden: none of them is allowed.
    """
    listed = [part for part in asked.split(",") if part.strip()]
    if not listed or len(listed) > MOST_NAMES:
        raise InvalidRequest("Name the events in hub.events, separated by commas.")
    scope = list(scope)
    names = dict.fromkeys(canonical(part) for part in listed)
    kept = [one for one in names if one not in _HUB_ONLY and allows(scope, one, "read")]
    if not kept:
        raise Forbidden(f"Your token has no scope for this; ask for fhircast/{listed[0]}.read.")
    return [*kept, *(one for one in names if one in _HUB_ONLY)]


def check_may_send(name: str, scope: Iterable[str]) -> None:
    """Refuse an event that a scope does not let be sent.

    Raises:
        Forbidden: with the scope that would be needed.
    """
    if name in _HUB_ONLY or not allows(scope, name, "write"):
        raise Forbidden(f"Your token has no scope for this; ask for fhircast/{name}.write.")
