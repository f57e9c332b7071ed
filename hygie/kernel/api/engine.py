"""What the interactions work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.errors import Unavailable
from hygie.kernel.fhir.operation import Operation
from hygie.kernel.platform import Platform
from hygie.kernel.store import Repository


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts of one running server that answer machines.

    ``base`` is the FHIR base URL without a final slash; ``version`` the software's;
    ``platform`` is what domains registered, None where the kernel answers alone.
    """

    repository: Repository
    base: str
    audit_events: AuditEvents
    version: str
    platform: Platform | None = None

    @property
    def documents(self) -> Mapping[str, dict[str, object]]:
        """Return what the domains say at well-known addresses, by the address."""
        return self.platform.documents if self.platform else {}

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Return the operations that domains registered."""
        return tuple(self.platform.operations) if self.platform else ()

    @property
    def data(self) -> Path:
        """Return the data folder.

        Raises:
            Unavailable: the kernel answers alone and keeps no files of domains.
        """
        if self.platform is None:
            raise Unavailable("This server runs without domains; ask another one.")
        return self.platform.settings.data
