"""Who asks: every read and write of the kernel takes one of these."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field


class Kind(enum.IntEnum):
    """What sort of caller; stored in ``access_token.kind`` and in every trace."""

    SYSTEM = 0
    PATIENT = 1
    PROFESSIONAL = 2
    ADMINISTRATOR = 3
    RESEARCHER = 4


class Right(enum.StrEnum):
    """A right that is given to an account and not deduced from a relation."""

    IDENTIFY = "identify"
    """Find a stranger by INS or by the full strict traits; answers identity only."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated party and the purpose of the request.

    Attributes:
        kind: which family of rules applies.
        party: surrogate number of the person in table ``party``; 0 for ``system`` and for
            administrators, who are nobody in the record.
        reference: FHIR reference such as ``Practitioner/5f0c…``, or ``system`` or
            ``account/12``, written in the trace.
        purpose: code of ``http://terminology.hl7.org/CodeSystem/v3-ActReason``.
        rights: rights given to the account.
    """

    kind: Kind
    party: int
    reference: str
    purpose: str = "TREAT"
    rights: frozenset[Right] = field(default_factory=frozenset)


SYSTEM = Caller(Kind.SYSTEM, 0, "system", purpose="HOPERAT")
"""The local operator and named jobs; traced like everybody else."""


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
