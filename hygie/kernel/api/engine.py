"""What the interactions work with."""

from __future__ import annotations

from dataclasses import dataclass

from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.store import Repository


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts of one running server that answer machines.

    ``base`` is the FHIR base URL without a final slash; ``version`` the software's.
    """

    repository: Repository
    base: str
    audit_events: AuditEvents
    version: str
