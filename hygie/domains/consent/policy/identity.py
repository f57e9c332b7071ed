"""What of a Patient only identity proofing changes: ``definitions/protected_elements.csv``.

A structure qualifies an identity with the INSi teleservice and an identity document (RNIV). Whoever
cares for a patient corrects an address or a used name; to write the matricule or the birth name of
somebody else into a record would give that record to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hygie.kernel.clock import Clock
from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import Caller, Kind, Right
from hygie.kernel.security.dated import load

PROTECTED = load(
    "hygie.domains.consent",
    "definitions/protected_elements.csv",
    key=("type", "element"),
    make=lambda columns: columns["only"],
)
"""By type and element, the ``use`` that is protected; empty: all of it."""


@dataclass(frozen=True, slots=True)
class IdentityGuard:
    """The guard of identities; ``clock`` tells which rows hold."""

    clock: Clock

    def __call__(self, caller: Caller, rt: str, before: bytes, after: bytes | None) -> None:
        """Check that a caller may change what is protected from ``before`` to ``after``.

        ``after`` is None for a deletion. The operator may, and an account with the right to
        identify.

        Raises:
            Forbidden: the sentence names the elements, and who changes them.
        """
        if caller.kind == Kind.SYSTEM or Right.IDENTIFY in caller.rights:
            return
        old = msgspec.json.decode(before)
        new = msgspec.json.decode(after) if after is not None else {}
        held = PROTECTED.holding(self.clock.now().date())
        changed = [
            element
            for (one, element), only in held.items()
            if one == rt and _part(old, element, only) != _part(new, element, only)
        ]
        if changed:
            raise Forbidden(
                f"{', '.join(changed)}: an identity is changed at the desk, with an identity "
                "document; change contact details and used names only, or ask who verifies "
                "identities."
            )


def _part(resource: Mapping[str, Any], element: str, only: str) -> object:
    """Return an element, with what extends it; of a list, what has the use or none."""
    value = resource.get(element)
    if only and isinstance(value, list):
        value = [one for one in value if one.get("use", only) == only] or None
    return value, resource.get(f"_{element}")
