"""What the interactions work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.store import Repository


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts of one running server that answer machines.

    ``base`` is the FHIR base URL without a final slash; ``version`` the software's;
    ``documents`` what the domains say at well-known addresses, by the address.
    """

    repository: Repository
    base: str
    audit_events: AuditEvents
    version: str
    documents: Mapping[str, dict[str, object]] = field(default_factory=dict)
