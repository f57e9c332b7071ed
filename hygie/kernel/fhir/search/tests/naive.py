"""A second, naive reading of search values, on plain dictionaries, for four resource types.

Written from search.html and the parameter tables of the four resource pages, without the parser,
the tables or the readers under test. Each entry is (list, parameter code, values...).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]
Entry = tuple[Any, ...]

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def naive(resource: Json) -> list[Entry]:
    """Return every entry of a resource of one of the four types."""
    return [*common(resource), *READERS[resource["resourceType"]](resource)]


def common(resource: Json) -> Iterator[Entry]:
    meta = resource.get("meta", {})
    yield from (("uris", "_profile", profile) for profile in meta.get("profile", []))
    yield from (("uris", "_source", meta["source"]) for _ in meta.keys() & {"source"})
    for code, name in (("_tag", "tag"), ("_security", "security")):
        for coding in meta.get(name, []):
            yield from tokens(code, {"coding": [coding]})


def observation(one: Json) -> Iterator[Entry]:
    yield ("tokens", "status", None, one["status"])
    yield from concepts(one, OBSERVATION_CONCEPTS)
    yield from identifiers(one)
    yield from subject(one)
    yield from pointers(one, OBSERVATION_REFERENCES)
    yield from when("date", one, "effective")
    yield from when("value-date", one, "value")
    yield from value(one, ("value", "combo-value"), ("code-value", "combo-code-value"))
    yield from observation_texts(one)
    for part in one.get("component", []):
        yield from concepts(part, COMPONENT_CONCEPTS)
        pairs = ("component-code-value", "combo-code-value")
        yield from value(part, ("component-value", "combo-value"), pairs)


def observation_texts(one: Json) -> Iterator[Entry]:
    for text in listed(one.get("valueString")):
        yield ("strings", "value-string", text)
        for left in codings(one["code"]):
            yield ("composites", "code-value-string", (left, (text,)))
    for text in listed(one.get("valueCodeableConcept", {}).get("text")):
        yield ("strings", "value-string", text)
    for _, _, low, high in when("x", one, "value"):
        for left in codings(one["code"]):
            yield ("composites", "code-value-date", (left, (low, high)))


OBSERVATION_CONCEPTS = {
    "code": "code",
    "combo-code": "code",
    "category": "category",
    "method": "method",
    "data-absent-reason": "dataAbsentReason",
    "combo-data-absent-reason": "dataAbsentReason",
}
COMPONENT_CONCEPTS = {
    "component-code": "code",
    "combo-code": "code",
    "component-data-absent-reason": "dataAbsentReason",
    "combo-data-absent-reason": "dataAbsentReason",
}
OBSERVATION_REFERENCES = {
    "encounter": "encounter",
    "based-on": "basedOn",
    "derived-from": "derivedFrom",
    "device": "device",
    "focus": "focus",
    "has-member": "hasMember",
    "part-of": "partOf",
    "performer": "performer",
    "specimen": "specimen",
}


def value(one: Json, codes: tuple[str, str], pairs: tuple[str, str]) -> Iterator[Entry]:
    concept, measured = one.get("valueCodeableConcept"), list(quantities(one.get("valueQuantity")))
    for code in codes:
        yield from tokens(f"{code}-concept", concept)
        yield from (("quantities", f"{code}-quantity", *entry) for entry in measured)
    for left, code in product(codings(one["code"]), pairs):
        for right in codings(concept):
            yield ("composites", f"{code}-concept", (left, right))
        for entry in measured:
            yield ("composites", f"{code}-quantity", (left, entry))


def patient(one: Json) -> Iterator[Entry]:
    for active in listed(one.get("active")):
        yield ("tokens", "active", None, str(active).lower())
    for gender in listed(one.get("gender")):
        yield ("tokens", "gender", None, gender)
    dead = one.get("deceasedBoolean") is True or "deceasedDateTime" in one
    yield ("tokens", "deceased", None, "true" if dead else "false")
    yield from identifiers(one)
    yield from addresses(one)
    yield from names(one)
    yield from contacts(one)
    for language in one.get("communication", []):
        yield from tokens("language", language["language"])
    for link in one.get("link", []):
        yield from references("link", link["other"])
    wanted = {"general-practitioner": "generalPractitioner", "organization": "managingOrganization"}
    yield from pointers(one, wanted)
    yield from days(one, {"birthdate": "birthDate", "death-date": "deceasedDateTime"})


def addresses(one: Json) -> Iterator[Entry]:
    parts = ("text", "city", "district", "state", "postalCode", "country", "line")
    for address, name in product(one.get("address", []), parts):
        for text in listed(address.get(name)):
            yield ("strings", "address", text)
            if name in ("city", "country", "state", "postalCode"):
                yield ("strings", f"address-{name.lower()}", text)
    for address in one.get("address", []):
        for use in listed(address.get("use")):
            yield ("tokens", "address-use", None, use)


def names(one: Json) -> Iterator[Entry]:
    parts = ("text", "family", "given", "prefix", "suffix")
    for human, name in product(one.get("name", []), parts):
        for text in listed(human.get(name)):
            codes = (
                ("name", "phonetic", name) if name in ("family", "given") else ("name", "phonetic")
            )
            yield from (("strings", code, text) for code in codes)


def contacts(one: Json) -> Iterator[Entry]:
    for contact in one.get("telecom", []):
        for code in {"telecom", contact.get("system")} & {"telecom", "phone", "email"}:
            if contact.keys() & {"system", "value"}:
                yield ("tokens", code, contact.get("system"), contact.get("value"))


def encounter(one: Json) -> Iterator[Entry]:
    yield ("tokens", "status", None, one["status"])
    yield from tokens("class", {"coding": [one["class"]]})
    yield from identifiers(one)
    yield from subject(one)
    yield from concepts(one, {"type": "type", "reason-code": "reasonCode"})
    stay = {"special-arrangement": "specialArrangement"}
    yield from concepts(one.get("hospitalization", {}), stay)
    yield from pointers(one, ENCOUNTER_REFERENCES)
    for diagnosis in one.get("diagnosis", []):
        yield from references("diagnosis", diagnosis["condition"])
    for participant in one.get("participant", []):
        yield from participants(participant)
    for place in one.get("location", []):
        yield from references("location", place["location"])
        yield from periods("location-period", place.get("period", {}))
    yield from (("quantities", "length", *entry) for entry in quantities(one.get("length")))
    yield from periods("date", one.get("period", {}))


def participants(one: Json) -> Iterator[Entry]:
    yield from concepts(one, {"participant-type": "type"})
    who = one.get("individual")
    yield from references("participant", who)
    if (who or {}).get("reference", "").startswith("Practitioner/"):
        yield from references("practitioner", who)


ENCOUNTER_REFERENCES = {
    "account": "account",
    "appointment": "appointment",
    "based-on": "basedOn",
    "episode-of-care": "episodeOfCare",
    "part-of": "partOf",
    "reason-reference": "reasonReference",
    "service-provider": "serviceProvider",
}


def condition(one: Json) -> Iterator[Entry]:
    yield from concepts(one, CONDITION_CONCEPTS)
    for evidence in one.get("evidence", []):
        yield from concepts(evidence, {"evidence": "code"})
        yield from pointers(evidence, {"evidence-detail": "detail"})
    for stage in one.get("stage", []):
        yield from concepts(stage, {"stage": "summary"})
    yield from identifiers(one)
    yield from subject(one)
    yield from pointers(one, {"asserter": "asserter", "encounter": "encounter"})
    yield from days(one, {"recorded-date": "recordedDate"})
    for stem, text_code in (("onset", "onset-info"), ("abatement", "abatement-string")):
        yield from when(f"{stem}-date", one, stem)
        ends = one.get(f"{stem}Range", {})
        for end in (one.get(f"{stem}Age"), ends.get("low"), ends.get("high")):
            yield from (("quantities", f"{stem}-age", *entry) for entry in quantities(end))
        for text in listed(one.get(f"{stem}String")):
            yield ("strings", text_code, text)


CONDITION_CONCEPTS = {
    "code": "code",
    "body-site": "bodySite",
    "category": "category",
    "clinical-status": "clinicalStatus",
    "severity": "severity",
    "verification-status": "verificationStatus",
}

READERS: dict[str, Callable[[Json], Iterator[Entry]]] = {
    "Observation": observation,
    "Patient": patient,
    "Encounter": encounter,
    "Condition": condition,
}


def listed(found: Any) -> list[Any]:
    if found is None:
        return []
    return [item for item in found if item is not None] if isinstance(found, list) else [found]


def codings(concept: Json | None) -> list[tuple[str | None, str | None]]:
    found = (concept or {}).get("coding", [])
    return [(c.get("system"), c.get("code")) for c in found if c.keys() & {"system", "code"}]


def tokens(code: str, concept: Json | None) -> Iterator[Entry]:
    yield from (("tokens", code, *coding) for coding in codings(concept))


def concepts(one: Json, wanted: dict[str, str]) -> Iterator[Entry]:
    for code, name in wanted.items():
        for concept in listed(one.get(name)):
            yield from tokens(code, concept)


def pointers(one: Json, wanted: dict[str, str]) -> Iterator[Entry]:
    for code, name in wanted.items():
        for reference in listed(one.get(name)):
            yield from references(code, reference)


def identifiers(one: Json) -> Iterator[Entry]:
    for found in one.get("identifier", []):
        if found.keys() & {"system", "value"}:
            yield ("tokens", "identifier", found.get("system"), found.get("value"))


def subject(one: Json) -> Iterator[Entry]:
    yield from references("subject", one.get("subject"))
    if (one.get("subject") or {}).get("reference", "").startswith("Patient/"):
        yield from references("patient", one["subject"])


def references(code: str, reference: Json | None) -> Iterator[Entry]:
    written = (reference or {}).get("reference", "")
    relative = re.fullmatch(r"([A-Z]\w+)/([\w.-]+)", written)
    if relative:
        yield ("references", code, relative[1], relative[2], None)
    elif written.startswith("urn:"):
        yield ("references", code, None, None, written)


def quantities(quantity: Json | None) -> Iterator[Entry]:
    if "value" in (quantity or {}):
        names = ("comparator", "system", "code", "unit")
        yield (Decimal(quantity["value"]), *map(quantity.get, names))  # type: ignore[index,union-attr]


def when(code: str, one: Json, stem: str) -> Iterator[Entry]:
    yield from days(one, {code: f"{stem}DateTime"})
    yield from days(one, {code: f"{stem}Instant"})
    yield from periods(code, one.get(f"{stem}Period", {}))


def days(one: Json, wanted: dict[str, str]) -> Iterator[Entry]:
    for code, name in wanted.items():
        if name in one:
            yield ("dates", code, *span(one[name]))


def periods(code: str, period: Json) -> Iterator[Entry]:
    if period.keys() & {"start", "end"}:
        low = span(period["start"])[0] if "start" in period else FIRST
        yield ("dates", code, low, span(period["end"])[1] if "end" in period else LAST)


def span(text: str) -> tuple[datetime, datetime]:
    if len(text) > 10:
        moment = datetime.fromisoformat(text)
        digits = len(text.partition(".")[2].rstrip("Z").split("+")[0].split("-")[0])
        return moment, moment + timedelta(seconds=1) / 10**digits
    year, month, day = (int(part) for part in (text + "-01-01")[:10].split("-"))
    first = datetime(year, month, day, tzinfo=PARIS)
    if len(text) == 4:
        return first, first.replace(year=year + 1)
    if len(text) == 7:
        return first, first.replace(year=year + month // 12, month=month % 12 + 1)
    after = first.date() + timedelta(days=1)
    return first, datetime(after.year, after.month, after.day, tzinfo=PARIS)
