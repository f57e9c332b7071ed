"""What a person decides about the record, as the consent screens show it.

Ends are not included: an access that ends on the 3rd at midnight was last good on the 2nd.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from hygie.domains.consent.model.constants import Opening
from hygie.domains.consent.model.states import RecordState


class Choice(StrEnum):
    """Categories of the Consent resources that hold choices (code system ``choice``)."""

    OPENING = "opening"
    """Which way the record opened and when the notice was given; opens nothing by itself."""
    CARE_TEAM = "care-team"
    ACCESS = "access"
    BLOCK = "block"
    REPRESENTATIVE = "representative"
    HELPER = "helper"
    BREAK_GLASS = "break-glass"
    CENTRE_15 = "centre-15"
    RESEARCH = "research"
    RESTRICTION = "restriction"
    CLOSURE = "closure"
    OPPOSITION = "opposition"


class Standing(StrEnum):
    """In what quality somebody acts for a person (code system ``representative``)."""

    PARENT = "parent"
    """Reads and decides until the child comes of age; stated by the desk."""
    GUARDIAN = "guardian"
    """Protects an adult or a child by a judge's decision; stated by the desk."""
    MANDATE = "mandate"
    """Reads and decides, because the person asked."""
    HELPER = "helper"
    """Reads the whole record, because the person asked."""
    ADMINISTRATIVE = "helper-administrative"
    """Reads what is administrative, because the person asked."""


@dataclass(frozen=True, slots=True)
class Span:
    """A period; ``ends`` is not included, None where there is no end."""

    starts: datetime | None
    ends: datetime | None

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant is in it."""
        return (self.starts is None or self.starts <= at) and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody named by a choice: ``reference`` such as ``Practitioner/12`` and a display name."""

    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class FirstVisit:
    """The answers to the two questions of the first visit.

    Attributes:
        care_team: the professionals who care for the person read the record.
        emergencies: a physician in an emergency, or Centre 15, may open it for a few hours.
    """

    care_team: bool
    emergencies: bool


@dataclass(frozen=True, slots=True)
class Naming:
    """Whom the person names to act in the person's name, and until when (not included)."""

    who: Party
    standing: Standing
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the care team.

    Attributes:
        key: ``<CareTeam id>/<place>``, given back to ``end_membership``.
        who: professional or structure.
        role_fr: profession or specialty as the team writes it, empty where it does not.
        span: when.
        since_event: event that started it, such as ``appointment``; None where none is written.
        until_event: event that ended it.
    """

    key: str
    who: Party
    role_fr: str
    span: Span
    since_event: str | None
    until_event: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """A choice about one person or structure: an access outside the team, or a block.

    ``key`` is the id of the Consent, given back to ``end_access`` or ``unblock``.
    """

    key: str
    who: Party
    span: Span


@dataclass(frozen=True, slots=True)
class Delegate:
    """Somebody who reads, or decides, in the person's name. ``key`` is the id of the Consent."""

    key: str
    who: Party
    standing: Standing
    span: Span
    ends_at_majority: bool = False

    @property
    def manages(self) -> bool:
        """Tell whether they may also decide."""
        return self.standing in (Standing.PARENT, Standing.GUARDIAN, Standing.MANDATE)


@dataclass(frozen=True, slots=True)
class OpeningNotice:
    """How a record opened, and when the person was told."""

    mode: Opening
    notice_given: datetime | None
    may_oppose_until: datetime | None


@dataclass(frozen=True, slots=True)
class Emergency:
    """A declared emergency. ``key`` is the id of the Task."""

    key: str
    patient: str
    professional: Party
    centre_15: bool
    reason: str
    place: str
    span: Span
    reviewed: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything the consent screens need about one record at one instant.

    Attributes:
        patient: id of the Patient.
        at: the instant it is told for.
        state: where the record stands.
        opening: how it opened; None where no notice was recorded.
        answered: whether the first-visit choice was made.
        care_team_agreed: since when the care team may read; None while it may not.
        members: the care team now, and memberships to come.
        former_members: memberships that ended.
        accesses: explicit accesses outside the team, current and to come.
        blocks: professionals and structures that read nothing.
        delegates: helpers and representatives, current and to come.
        emergency_allowed: the break-glass switch.
        centre_15_allowed: the Centre 15 switch.
        research_allowed: False once the person objected to secondary use.
        restricted: GDPR, article 18.
        closed_on: when it was closed; None while it is open.
        destroyed_after: until when a closed record is kept and may be reopened.
        minor_until: the day the person comes of age; None for an adult.
        decides_from: the day from which a minor decides alone too; None once it is reached.
    """

    patient: str
    at: datetime
    state: RecordState
    opening: OpeningNotice | None = None
    answered: bool = False
    care_team_agreed: datetime | None = None
    members: tuple[Member, ...] = ()
    former_members: tuple[Member, ...] = ()
    accesses: tuple[Given, ...] = ()
    blocks: tuple[Given, ...] = ()
    delegates: tuple[Delegate, ...] = ()
    emergency_allowed: bool = True
    centre_15_allowed: bool = True
    research_allowed: bool = True
    restricted: bool = False
    closed_on: datetime | None = None
    destroyed_after: date | None = None
    minor_until: date | None = None
    decides_from: date | None = None
    standing: dict[Choice, tuple[str, ...]] = field(default_factory=dict)
    """Ids of the Consents by which each choice of the record holds, or of the last that did."""
