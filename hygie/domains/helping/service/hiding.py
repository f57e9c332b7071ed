"""What a minor keeps from the parents: documents and visits, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from hygie.domains.helping.fhir import Json
from hygie.domains.helping.service import records
from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.labels import NO_LABEL, Label
from hygie.kernel.store import Repository

HIDEABLE: Final = ("DocumentReference", "Encounter", "DiagnosticReport")
INVISIBLE = "INVISIBLE_REPRESENTANTS_LEGAUX"
"""Code of JDV_J08: not shown to those who represent the minor."""
_DAY = len("2026-01-31")


@dataclass(frozen=True, slots=True)
class Item:
    """A document or a visit of the own record; ``day`` is a FHIR date, empty where unknown."""

    rt: str
    id: str
    title: str
    day: str
    hidden: bool


async def items(repository: Repository, caller: Caller) -> list[Item]:
    """Return the documents and visits of a minor's own record, newest first."""
    patient = caller.reference.partition("/")[2]
    found = [
        _item(body)
        for rt in HIDEABLE
        for body in await records.every(repository, caller, rt, [("patient", patient)])
    ]
    return sorted(found, key=lambda one: one.day, reverse=True)


async def hide(repository: Repository, caller: Caller, rt: str, rid: str, *, hidden: bool) -> None:
    """Hide one item from the parents, or show it to them again; the rules judge it.

    Raises:
        NotFound: it is no document or visit, or none of the caller's.
        Forbidden: the caller is of age, or may not change its labels.
    """
    if rt not in HIDEABLE:
        raise NotFound("This is no document and no visit.")
    label = Label.HIDDEN_FROM_REPRESENTATIVES
    add, remove = (label, NO_LABEL) if hidden else (NO_LABEL, label)
    await repository.relabel(caller, rt, rid, add=add, remove=remove)


def _item(body: Json) -> Item:
    period = body.get("period", {})
    day = body.get("date") or period.get("start") or body.get("effectiveDateTime") or ""
    return Item(body["resourceType"], body["id"], _title(body), day[:_DAY], _is_hidden(body))


def _title(body: Json) -> str:
    coded: list[Any] = [*body.get("reasonCode", ()), body.get("code", {})]
    typed = body.get("type", {})
    coded += typed if isinstance(typed, list) else [typed]
    texts = [body.get("description", ""), *(one.get("text", "") for one in coded)]
    shown = [coding.get("display", "") for one in coded for coding in one.get("coding", ())]
    return next((text for text in (*texts, *shown) if text), "")


def _is_hidden(body: Json) -> bool:
    marks = [*body.get("meta", {}).get("security", ())]
    marks += [one for label in body.get("securityLabel", ()) for one in label.get("coding", ())]
    return any(one.get("code") == INVISIBLE for one in marks)
