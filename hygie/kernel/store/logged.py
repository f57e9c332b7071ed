"""Read something else than resources (the access log) as a caller, with its traces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hygie.kernel.security.caller import Caller

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection


@dataclass(slots=True)
class Reading:
    """An open transaction of one caller, and whose data it showed."""

    connection: Connection
    caller: Caller
    patients: set[int | None] = field(default_factory=set)

    def seen(self, patients: Iterable[int | None]) -> None:
        """Remember whose data leaves."""
        self.patients.update(patients)
