"""A request of a person as a FHIR Task (R4, task.html), and its words in the person's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hygie.domains.rights.model.requests import CODES, Request, Right, State
from hygie.domains.rights.model.retention import Verdict
from hygie.kernel.errors import NotFound

Json = dict[str, Any]
VERDICTS = "https://hygie.example.org/fhir/CodeSystem/retention"
_date = date.fromisoformat
_ANSWER = ("status", "statusReason", "lastModified", "output", "owner")
_WORDS = {
    Right.RECTIFICATION: "Demande de rectification",
    Right.ERASURE: "Demande d’effacement",
}


def task_of(request: Request) -> Json:
    """Return the Task of a request; who answers writes ``businessStatus`` and ``statusReason``."""
    code = {"system": CODES, "code": str(request.right), "display": _WORDS[request.right]}
    task: Json = {
        "resourceType": "Task",
        "status": str(request.state),
        "intent": "proposal",
        "code": {"coding": [code]},
        "for": {"reference": f"Patient/{request.patient}"},
        "authoredOn": request.asked,
        "requester": {"reference": request.requester},
    }
    if request.id:
        task["id"] = request.id
    if request.wish:
        task["description"] = request.wish
    if request.focus:
        task["focus"] = {"reference": request.focus}
    if request.owner:
        task["owner"] = {"reference": request.owner}
    if request.answer:
        task["statusReason"] = {"text": request.answer}
    if request.answered:
        task["lastModified"] = request.answered
    if request.verdicts:
        task["output"] = [_output(one) for one in request.verdicts]
    return task


def answered_task(posted: Mapping[str, Any], told: Request) -> Json:
    """Return the Task of a request with its answer; all else stays as its author posted it."""
    answer = task_of(told)
    return {**posted, **{name: answer[name] for name in _ANSWER if name in answer}}


def refused_task(posted: Mapping[str, Any], why: str, *, day: str) -> Json:
    """Return a Task, readable as a request or not, as refused for a reason."""
    refusal = {"status": str(State.REJECTED), "statusReason": {"text": why}, "lastModified": day}
    return {**posted, **refusal}


def _output(verdict: Verdict) -> Json:
    """Return one verdict: the rule and whose holding; how many were erased, or kept until when."""
    kind: Json = {"coding": [{"system": VERDICTS, "code": verdict.key}]}
    if verdict.controller:
        kind["text"] = verdict.controller
    if verdict.erased:
        return {"type": kind, "valueInteger": verdict.count}
    return {"type": kind, "valueString": verdict.until.isoformat() if verdict.until else "-"}


def _verdict(output: Json) -> Verdict:
    key, whose = output["type"]["coding"][0]["code"], output["type"].get("text", "")
    if "valueInteger" in output:
        return Verdict(key, whose, output["valueInteger"], erased=True)
    day = output["valueString"]
    return Verdict(key, whose, 0, erased=False, until=None if day == "-" else _date(day))


def request_of(task: Mapping[str, Any], *, version: int) -> Request:
    """Return the request that a Task holds.

    Raises:
        NotFound: the Task is about something else, or nobody can read it as a request.
    """
    try:
        return _request(task, version)
    except (KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
        # Anybody who decides for the person may write such a Task by hand.
        raise NotFound("This task cannot be read as a request about a person's data.") from error


def _request(task: Mapping[str, Any], version: int) -> Request:
    given = [one for one in task["code"]["coding"] if one.get("system") == CODES]
    return Request(
        id=task["id"],
        right=Right(given[0]["code"]),
        state=State(task["status"]),
        patient=task["for"]["reference"].partition("/")[2],
        requester=task["requester"]["reference"],
        focus=_reference(task, "focus"),
        wish=task.get("description", ""),
        answer=task.get("statusReason", {}).get("text", ""),
        asked=task.get("authoredOn", ""),
        answered=task.get("lastModified", ""),
        owner=_reference(task, "owner"),
        version=version,
        verdicts=tuple(_verdict(one) for one in task.get("output", ())),
    )


def provenance_of(target: str, *, patient: str, who: str, at: str, why: str, former: str) -> Json:
    """Return the Provenance of a rectified version (FHIR R4, provenance.html).

    The role ``removal`` of the former version is what withdraws it (``kernel/store/removals.py``).
    The Provenance names the person among its targets: that is what puts it in the record.
    """
    kinds = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    acts = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}, {"reference": f"Patient/{patient}"}],
        "recorded": at,
        "activity": {"coding": [{"system": acts, "code": "UPDATE"}]},
        "reason": [{"text": why}],
        "agent": [
            {
                "type": {"coding": [{"system": kinds, "code": "author"}]},
                "who": {"reference": who},
            }
        ],
        "entity": [{"role": "removal", "what": {"reference": former}}],
    }


def _reference(task: Mapping[str, Any], name: str) -> str:
    return str(task.get(name, {}).get("reference", ""))
