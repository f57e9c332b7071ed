"""Who asks: every read and write of the kernel takes one of these."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field

from hygie.kernel.security.limits import Limit


class Kind(enum.IntEnum):
    """What sort of caller; stored in ``access_token.kind`` and in every trace."""

    SYSTEM = 0
    PATIENT = 1
    PROFESSIONAL = 2
    ADMINISTRATOR = 3
    RESEARCHER = 4
    JOB = 5
    """A named job of the platform, with the least it needs."""


class Right(enum.StrEnum):
    """A right that is given to an account and not deduced from a relation."""

    IDENTIFY = "identify"
    """Find a stranger by INS or by the full strict traits; answers identity only."""
    REVIEW = "review"
    """Review emergency accesses and abnormal ones; opens no clinical content."""
    DESK = "desk"
    """Assist somebody who is present, for some minutes, upon a mandate signed for one act."""
    REGISTER = "register"
    """Record parents and guardians, with a second person, upon a document both saw."""


class Duty(enum.StrEnum):
    """What the law reserves to some professions, whatever their relation with the patient."""

    ANNOUNCE = "announce"
    """Tell the person what waits for an announcement visit."""
    WITHHOLD = "withhold"
    """Keep from the person, until such a visit, what somebody else wrote."""
    KEEP_SECRET = "keep-secret"  # noqa: S105 - no password
    """Keep from the parents what a minor confides."""


NO_MATTER = bytes(32)
"""The matters of who may read none."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """The role and the structure in which somebody chose to act: it narrows and never adds.

    Attributes:
        role: a role of the access matrix, which the person must still practise.
        structure: party number of the structure, 0 where the exercise names none.
    """

    role: str
    structure: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated party and the purpose of the request.

    Attributes:
        kind: which family of rules applies.
        party: surrogate number of the person in table ``party``; 0 for ``system`` and for
            administrators, who are nobody in the record.
        reference: FHIR reference such as ``Practitioner/5f0c…``, or ``system``, ``job/<name>`` or
            ``account/12``, written in the trace.
        purpose: code of ``http://terminology.hl7.org/CodeSystem/v3-ActReason``.
        rights: rights given to the account.
        level: how strongly the person was authenticated, 1 to 3.
        roles: codes of the access matrix that the person practises now.
        structures: party numbers of the structures where the person practises now.
        principals: party numbers of the professionals under whom the person acts now.
        shadows: party numbers of the structures where those professionals practise now: who blocks
            one of them blocks whoever acts under its people.
        aside: party numbers of the structures where the person practises and which the exercise
            sets aside: who blocks one of them still blocks the person, nothing else of them counts.
        matters: 32 bytes, bit ``n`` set where the roles may read matter ``n``.
        exercise: the one exercise the person chose for the session, None for all of them.
        limit: what the application that asks for the person is limited to, None for the person.
        duties: what the roles reserve to the person's profession.

    Roles to matters, and duties, are facts of the database: the gate (``security/gate``) reads them
    at each request, whatever stood there before, and nothing keeps them longer.
    """

    kind: Kind
    party: int
    reference: str
    purpose: str = "TREAT"
    rights: frozenset[Right] = field(default_factory=frozenset)
    level: int = 1
    roles: frozenset[str] = field(default_factory=frozenset)
    structures: frozenset[int] = field(default_factory=frozenset)
    principals: frozenset[int] = field(default_factory=frozenset)
    shadows: frozenset[int] = field(default_factory=frozenset)
    aside: frozenset[int] = field(default_factory=frozenset)
    matters: bytes = NO_MATTER
    exercise: Exercise | None = None
    limit: Limit | None = None
    duties: frozenset[Duty] = field(default_factory=frozenset)

    @property
    def asker(self) -> str:
        """Return who asks, to whom a paging link belongs: the person, or one application of theirs.

        The link of the one tells the other nothing: the totals in it are those of its reader.
        """
        limit = self.limit
        through = f" {limit.client} {limit.patient} {' '.join(limit.scope)}" if limit else ""
        return f"{self.kind} {self.reference}{through}"

    @property
    def own(self) -> list[int]:
        """Return the parties whose relations are the caller's own: self and structures."""
        return sorted({self.party} - {0} | self.structures)


def job(name: str) -> Caller:
    """Return the caller of a named job; the matrix says what ``job:<name>`` reads."""
    return Caller(Kind.JOB, 0, f"job/{name}", purpose="HOPERAT", roles=frozenset({f"job:{name}"}))


SYSTEM = Caller(Kind.SYSTEM, 0, "system", purpose="HOPERAT")
"""The local operator, traced like everybody else."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A bearer token as it is looked up: only its SHA-256 is kept."""

    digest: bytes

    @classmethod
    def from_token(cls, token: str) -> Bearer:
        """Return the bearer for a token received in an Authorization header."""
        return cls(hashlib.sha256(token.encode()).digest())


Access = Bearer | Caller
"""What a request brings: a token still to be looked up, or a caller made by the portal."""
