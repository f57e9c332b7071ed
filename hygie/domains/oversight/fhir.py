"""Names of the directory as a reviewer reads them."""

from __future__ import annotations

from typing import Any

from hygie.domains.oversight.model.states import State

REVIEW = "https://hygie.example.org/fhir/CodeSystem/emergency-review"


def name_of(practitioner: Any) -> str:
    """Return the name of a Practitioner, with its prefix; its id where it has none.

    >>> name_of({"name": [{"prefix": ["Dr"], "given": ["Zoé"], "family": "Lang"}]})
    'Dr Zoé Lang'
    """
    for name in practitioner.get("name", []):
        parts = [*name.get("prefix", []), *name.get("given", [])[:1], name.get("family", "")]
        text = name.get("text") or " ".join(filter(None, parts))
        if text:
            return str(text)
    return str(practitioner.get("id", ""))


def declaration_of(task: Any) -> tuple[str, str]:
    """Return the reason and the place of a declared emergency."""
    place = task.get("location", {}).get("display", "")
    for one in task.get("input", []):
        place = place or one.get("valueString", "")
    return task.get("reasonCode", {}).get("text", ""), place


def reviewed(decision: State) -> dict[str, Any]:
    """Return the ``businessStatus`` of a declaration that was reviewed.

    >>> reviewed(State.JUSTIFIED)["coding"][0]["code"]
    'justified'
    """
    return {"coding": [{"system": REVIEW, "code": decision.name.lower()}]}
