"""A FHIR operation as its OperationDefinition declares it (FHIR R4, operationdefinition.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Operation:
    """One FHIR operation, as its OperationDefinition declares it (R4, operationdefinition.html).

    Attributes:
        definition: the OperationDefinition without ``url``, which is where this server serves it.
        run: what answers, ``module:function``; it takes the engine and the request of
            :mod:`hygie.kernel.api` and returns its response.
        below: what answers below the address of the operation (the status and the files of an
            asynchronous request), in the same way; empty where there is nothing.
    """

    definition: Mapping[str, Any]
    run: str
    below: str = ""

    @property
    def id(self) -> str:
        """Return the id of the OperationDefinition."""
        return str(self.definition["id"])

    @property
    def code(self) -> str:
        """Return the name of the operation, without ``$``."""
        return str(self.definition["code"])

    @property
    def rt(self) -> str:
        """Return the resource type it is for."""
        return str(self.definition["resource"][0])

    @classmethod
    def read(cls, file: Path, *, run: str, below: str = "") -> Operation:
        """Read an operation from the file of its OperationDefinition."""
        return cls(msgspec.json.decode(file.read_bytes()), run, below)
