"""``Patient/$identify``: find a stranger by INS or full strict traits, for the right *identify*.

An operation of Hygie's own, beside FHIR's ``$match`` which is fuzzy. It takes Parameters with
``ins``, or with ``family``, ``given``, ``birthDate``, ``gender`` and ``birthPlace`` (INSEE code),
and answers a searchset of nobody or of one Patient: id, name, birth date and sex, nothing else.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from hygie.kernel.api.bundle import bundle
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_json
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.validate import parse
from hygie.kernel.store.identifying import Traits
from hygie.kernel.store.model import Person

_TRAITS = ("family", "given", "birthDate", "gender", "birthPlace")
_TEXTS = ("valueString", "valueCode", "valueDate")
_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


async def identify(engine: Engine, request: HttpRequest) -> Response:
    """Return who the INS or the traits name, or nobody."""
    check_accepts_json(request)
    check_sends_json(request)
    caller = await engine.repository.authenticate(request.access)
    asked = read_parameters(request.body)
    person = await engine.repository.identify(
        caller,
        ins=asked.get("ins"),
        traits=_traits(asked) if set(_TRAITS) <= set(asked) else None,
        request=request.traced("operation"),
    )
    entries = [] if person is None else [_entry(person, engine.base)]
    return Response(200, bundle("searchset", entries, total=len(entries)))


def read_parameters(raw: bytes) -> dict[str, str]:
    """Return the texts of a Parameters resource by name.

    Raises:
        InvalidRequest: a parameter is unknown, repeated or no text.
    """
    found: dict[str, str] = {}
    for place, one in enumerate(parse(raw, expect="Parameters").resource.parameter or ()):
        text = next((v for v in (getattr(one, t) for t in _TEXTS) if isinstance(v, str)), None)
        if one.name not in ("ins", *_TRAITS) or one.name in found or text is None:
            raise InvalidRequest(
                f"$identify takes ins, or {', '.join(_TRAITS)}: each once, as a text.",
                expression=f"Parameters.parameter[{place}]",
            )
        found[one.name] = text
    return found


def _traits(asked: dict[str, str]) -> Traits:
    try:
        born = date.fromisoformat(asked["birthDate"])
    except ValueError:
        raise InvalidRequest("birthDate is written YYYY-MM-DD, the whole date.") from None
    return Traits(asked["family"], asked["given"], born, asked["gender"], asked["birthPlace"])


def _entry(person: Person, base: str) -> bytes:
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": person.reference.removeprefix("Patient/"),
        "meta": {"tag": [_SUBSETTED]},
        "name": [{"family": person.family, "given": person.given.split()}],
        "gender": person.sex,
        "birthDate": person.birth_date,
    }
    known = {name: value for name, value in resource.items() if value}
    entry = {
        "fullUrl": f"{base}/{person.reference}",
        "resource": known,
        "search": {"mode": "match"},
    }
    return msgspec.json.encode(entry)
