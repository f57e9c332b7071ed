"""Change the confidentiality labels of a resource: a new version that differs by them alone.

To remove a label also lifts it where it reached the resource from another that is gone: nobody can
lift it there any more. That makes a version too, so that it is decided, traced and seen like any
change of labels. What stands keeps its labels on what belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hygie.kernel.errors import NotFound, PreconditionFailed, Unprocessable
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.security_labels import relabelled
from hygie.kernel.security.caller import Access
from hygie.kernel.security.labels import Label
from hygie.kernel.store.atomic import Steps
from hygie.kernel.store.change import Change
from hygie.kernel.store.ids import check_id, key_of
from hygie.kernel.store.labels import codes_of, codings_of
from hygie.kernel.store.law import Law
from hygie.kernel.store.model import Stored, Written
from hygie.kernel.store.prepare import prepare
from hygie.kernel.store.site import Site
from hygie.kernel.store.spreading import ORIGIN_STANDS, opened
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

_LEFT = f"""
SELECT bit_or(l.label) FROM resource_key k
JOIN resource r ON r.part = k.part AND r.key = k.key
JOIN label_reach l ON l.pat = ANY (r.others || r.pat) AND l.key = r.key
WHERE k.rt = $1 AND k.uid = $2 AND NOT k.deleted AND NOT {ORIGIN_STANDS}
"""


@dataclass(frozen=True, slots=True)
class Relabelling:
    """Labels to add to a resource and to remove from it.

    ``if_match`` is the version the writer believes current.
    """

    rt: str
    rid: str
    add: Label
    remove: Label
    if_match: int | None = None

    def __post_init__(self) -> None:
        check_id(self.rid)
        both = self.add & self.remove
        if both:
            raise Unprocessable(f"{', '.join(codes_of(both))} cannot be added and removed at once.")


async def relabel(
    steps: Steps, access: Access, asked: Request, wanted: Relabelling, *, law: Law, site: Site
) -> Written:
    """Write the version with other labels inside an open transaction.

    Labels that are already as wanted make no new version.

    Raises:
        NotFound: nothing visible to the caller is there.
        Forbidden: the rules let the caller change no labels here, or not these.
        PreconditionFailed: ``if_match`` names another version, or one was written meanwhile.
    """
    current = await _current(steps, wanted)
    raw = relabelled(
        current.body or b"", add=codings_of(wanted.add), remove=codes_of(wanted.remove)
    )
    if wanted.if_match is not None and wanted.if_match != current.version:
        raise PreconditionFailed(
            f"If-Match names version {wanted.if_match} and the current one is {current.version}: "
            "read it again, then repeat your change."
        )
    lifts = wanted.remove & await left_by_what_is_gone(steps.connection, wanted.rt, wanted.rid)
    if raw == current.body and not lifts:
        steps.answer(current)
        return Written(current, created=False, changed=False)
    prepared = prepare(raw, wanted.rt, wanted.rid, projections=law.projections, site=site)
    change = Change(
        access,
        asked,
        "relabel",
        wanted.rt,
        wanted.rid,
        prepared,
        if_match=current.version,
        lifts=lifts,
    )
    return (await steps.write([change]))[0]


async def left_by_what_is_gone(connection: Connection, rt: str, rid: str) -> Label:
    """Return the labels that reached a resource from others that are deleted, or moved away.

    What it belongs to may be out of sight of the caller: the belt is opened for this question.
    """
    async with opened(connection):
        found = await connection.fetchval(_LEFT, type_number(rt), key_of(rid)[0])
    return Label(found or 0)


async def _current(steps: Steps, wanted: Relabelling) -> Stored:
    found: Sequence[Stored] = await steps.matches(wanted.rt, [("_id", wanted.rid)])
    if not found:
        raise NotFound(f"{wanted.rt}/{wanted.rid} is not known here.")
    return found[0]
