"""Prepare a write before it meets the database: validate, extract, index. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from hygie.kernel.errors import InvalidRequest, MethodNotAllowed
from hygie.kernel.fhir.search.extract import extract, patients
from hygie.kernel.fhir.search.references import Ref, parse_ref
from hygie.kernel.fhir.validate import parse
from hygie.kernel.store.facts import PartyRef, Projections, Stated, facts_of, parties_of
from hygie.kernel.store.index import Indexed, index
from hygie.kernel.store.private import check_nothing_private
from hygie.kernel.store.reach import unsearched
from hygie.kernel.store.site import Site

NOT_STORED = frozenset({"AuditEvent"})
"""Types served from elsewhere: AuditEvent comes from the access log (architecture, 4)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A valid resource with everything the store keeps beside its bytes."""

    rt: str
    rid: str
    raw: bytes
    indexed: Indexed
    facts: frozenset[Stated]

    def parties(self) -> list[PartyRef]:
        """Return every person and structure that needs a surrogate number."""
        named = [*self.indexed.patients, self.indexed.author, self.indexed.structure]
        return [ref for ref in (*named, *parties_of(self.facts)) if ref is not None]


def prepare(raw: bytes, rt: str, rid: str, *, projections: Projections, site: Site) -> Prepared:
    """Return the resource ready to be stored as ``rt``/``rid`` on this server.

    Raises:
        Malformed: the body is not a FHIR resource of this type.
        Unprocessable: it breaks a rule of FHIR, or tells of a professional's private life.
        MethodNotAllowed: resources of this type are not written by clients.
    """
    if rt in NOT_STORED:
        raise MethodNotAllowed(f"{rt} is made by Hygie itself and cannot be written.")
    parsed = parse(raw, expect=rt)
    check_nothing_private(rt, parsed.resource)
    # A new resource has no id of its own yet, and its projection may have to name it.
    parsed.resource.id = rid
    compartments = _compartments(rt, rid, parsed.resource)
    indexed = index(
        rt,
        extract(parsed.resource, zone=site.zone),
        compartments,
        base=site.base,
        linked=list(unsearched(rt, parsed.resource, base=site.base)),
    )
    return Prepared(
        rt, rid, raw, indexed, facts_of(projections, rt, parsed.resource, zone=site.zone)
    )


def _compartments(rt: str, rid: str, resource: Any) -> list[Ref]:
    """Return the patients a resource is about.

    A Patient is about itself only, whomever it links to. A Binary has no patient by the standard's
    compartments: its ``securityContext`` says whose it is (FHIR R4, binary.html#security).
    """
    if rt == "Patient":
        return [Ref(rt, rid)]
    if rt == "Binary":
        context = resource.securityContext
        named = context is not UNSET and context.reference is not UNSET and context.reference
        ref = parse_ref(named) if named else None
        return [ref] if ref is not None and ref.type == "Patient" else []
    return patients(resource)


def check_body_id(found: str | None, rid: str, rt: str) -> None:
    """Check that the body names the id of its address (FHIR R4, http.html#update).

    Raises:
        InvalidRequest: it does not.
    """
    if found != rid:
        raise InvalidRequest(
            "The body must carry the id of the address, and no other.", expression=f"{rt}.id"
        )
