"""Let the author of a labelled item change only by who may lift its labels.

The author of an item reads it whatever its labels, and lifts them. The author is what its content
says (``performer``, ``recorder``...), and a team corrects one another's content: whoever could sign
in the place of the author could announce a result, or show a secret, in two requests. What has no
label is signed by whoever corrects it; what was deleted with labels is written again by its author.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import Kind
from hygie.kernel.security.policies import Moves
from hygie.kernel.store.change import Effect, Permit
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.reach import reaching

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.locking import States


async def check_signed(
    connection: Connection,
    states: States,
    effects: Sequence[Effect],
    *,
    numbers: Mapping[PartyRef, int],
) -> list[Effect]:
    """Return the effects, refused where another author would be named of what carries labels."""
    asked = [one for one in effects if isinstance(one, Permit) and _signs(one, numbers)]
    if not asked:
        return list(effects)
    answers = await states.relabelling(
        connection,
        [one.change.place for one in asked],
        [one.caller for one in asked],
        [Moves.between(_labels(one), 0) for one in asked],
    )
    refused = {
        id(one): _refusal(one) for one, (_, may) in zip(asked, answers, strict=True) if not may
    }
    return [refused.get(id(one), one) for one in effects]


def _signs(permit: Permit, numbers: Mapping[PartyRef, int]) -> bool:
    """Tell whether a professional names another author of what carries labels."""
    prepared, current = permit.change.prepared, permit.current
    if permit.caller.kind != Kind.PROFESSIONAL or prepared is None or current is None:
        return False
    author = prepared.indexed.author
    return bool(_labels(permit)) and (numbers[author] if author else None) != current.author


def _labels(permit: Permit) -> int:
    return reaching(permit.current.label) if permit.current else 0


def _refusal(permit: Permit) -> Forbidden:
    change = permit.change
    return Forbidden(
        f"{change.rt}/{change.rid} carries confidentiality labels, which its author may lift: "
        "leave the author as it is, or ask who wrote it."
    )
