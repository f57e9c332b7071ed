"""Make resources ready to be copied: validate, extract, index, stamp. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.rewrite import check_is_unmarked
from hygie.kernel.fhir.splice import replace_strings, stamp
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store.change import Change
from hygie.kernel.store.facts import Projections
from hygie.kernel.store.loading.items import Item, Source
from hygie.kernel.store.loading.references import targets_of, unresolved
from hygie.kernel.store.loading.report import Problem
from hygie.kernel.store.prepare import prepare
from hygie.kernel.store.site import Site
from hygie.kernel.store.tracing import Request
from hygie.kernel.store.writing import instant_text


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A resource ready to be stored as a new one.

    Attributes:
        source: where it comes from.
        item: what was read there.
        change: what the ordinary writer would be asked.
        stamped: its bytes as version 1.
        targets: where it points to.
    """

    source: Source
    item: Item
    change: Change
    stamped: bytes
    targets: set[bytes]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes resources ready, with what a repository knows."""

    projections: Projections
    site: Site
    request: Request

    def make(self, source: Source, item: Item, *, updated: datetime) -> Ready:
        """Return one resource ready to be stored.

        Raises:
            HygieError: it is refused.
        """
        raw = replace_strings(item.raw, item.links)
        check_is_unmarked(raw)
        prepared = prepare(raw, item.rt, item.rid, projections=self.projections, site=self.site)
        stamped = stamp(raw, rid=item.rid, version="1", updated=instant_text(updated))
        change = Change(SYSTEM, self.request, "update", item.rt, item.rid, prepared)
        return Ready(source, item, change, stamped, targets_of(raw))


def refused(source: Source, item: Item, error: HygieError) -> Problem:
    """Return the line of the report about a refused resource."""
    return Problem(source.name, item.place, f"{item.rt}/{item.rid}", error.issues)


def dangling(ready: Ready) -> Problem | None:
    """Return the warning about placeholders and searches that nothing in the load resolves."""
    texts = sorted(t.decode() for t in ready.targets if t.startswith(b"urn:uuid:") or b"?" in t)
    if not texts:
        return None
    item = ready.item
    issues = [unresolved(text, "selects nothing in this load or the store.") for text in texts]
    return Problem(ready.source.name, item.place, f"{item.rt}/{item.rid}", issues)
