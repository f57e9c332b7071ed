"""Add and remove security labels in the bytes of a resource; nothing else of it changes.

Labels stand in ``meta.security`` (FHIR R4, resource.html#Meta), in ``securityLabel`` of a
DocumentReference or a Consent's document, and in ``confidentiality`` of a Composition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

import msgspec

from hygie.kernel.fhir.spans import Span, spans

Coded = tuple[str, str]
"""System and code of a label."""

_elements = msgspec.json.Decoder(list[msgspec.Raw])
_between = re.compile(rb"[\s,]*").match


class _Coding(msgspec.Struct):
    code: str = ""


class _Concept(msgspec.Struct):
    coding: list[_Coding] = []


_coding, _concept = msgspec.json.Decoder(_Coding), msgspec.json.Decoder(_Concept)
_code = msgspec.json.Decoder(str)


def relabelled(raw: bytes, *, add: Sequence[Coded], remove: Collection[str]) -> bytes:
    """Return a stored resource with labels added, and those of some codes removed.

    A label that is there already is not added again. Where ``securityLabel`` stands, it changes
    like ``meta.security``.

    >>> raw = b'{"resourceType":"Basic", "meta":{"versionId":"1", "security":[{"code":"V"}]}}'
    >>> relabelled(raw, add=[], remove={"V"})
    b'{"resourceType":"Basic", "meta":{"versionId":"1"}}'
    >>> relabelled(raw, add=[("urn:x", "R")], remove=set())[50:]
    b'"security":[{"code":"V"},{"system":"urn:x","code":"R"}]}}'
    """
    members = spans(raw)
    if "securityLabel" in members:
        raw = _in_array(
            raw, "securityLabel", codes_of=_concept_codes, add=_concepts(add), remove=remove
        )
    if "confidentiality" in members:
        raw = _without_code(raw, remove)
    if "meta" not in spans(raw):
        place = spans(raw, {"resourceType"})["resourceType"].end
        raw = raw[:place] + b',"meta":{}' + raw[place:]
    meta = spans(raw)["meta"]
    codings = [(code, _json({"system": system, "code": code})) for system, code in add]
    inner = _in_array(
        raw[meta.value : meta.end], "security", codes_of=_coding_codes, add=codings, remove=remove
    )
    return raw[: meta.value] + inner + raw[meta.end :]


def _concepts(add: Sequence[Coded]) -> list[tuple[str, bytes]]:
    return [(code, _json({"coding": [{"system": system, "code": code}]})) for system, code in add]


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


def _coding_codes(element: bytes) -> set[str]:
    return {_coding.decode(element).code}


def _concept_codes(element: bytes) -> set[str]:
    return {one.code for one in _concept.decode(element).coding}


def _in_array(
    owner: bytes,
    name: str,
    *,
    codes_of: Callable[[bytes], set[str]],
    add: Sequence[tuple[str, bytes]],
    remove: Collection[str],
) -> bytes:
    """Return an object whose array ``name`` lost some coded elements and got others."""
    members = spans(owner)
    if name not in members:
        return _inserted(owner, members, name, [one for _, one in add])
    member = members[name]
    array = owner[member.value : member.end]
    places = _places(array)
    held = [codes_of(array[start:end]) for start, end in places]
    kept = [place for place, codes in zip(places, held, strict=True) if not codes & set(remove)]
    there = set().union(*(codes for codes in held if not codes & set(remove)))
    pieces = [array[start:end] for start, end in kept]
    new = [one for code, one in add if code not in there]
    if not pieces and not new:
        return _without(owner, members, name)
    if len(kept) == len(places):
        changed = array[:-1] + b"".join(b"," + one for one in new) + b"]" if new else array
    else:
        before, after = array[: places[0][0]], array[places[-1][1] :]
        changed = before + b",".join([*pieces, *new]) + after
    return owner[: member.value] + changed + owner[member.end :]


def _inserted(owner: bytes, members: dict[str, Span], name: str, new: list[bytes]) -> bytes:
    if not new:
        return owner
    first = owner.index(b"{") + 1
    text = _json(name) + b":[" + b",".join(new) + b"]" + (b"," if members else b"")
    return owner[:first] + text + owner[first:]


def _without(owner: bytes, members: dict[str, Span], name: str) -> bytes:
    names = list(members)
    place = names.index(name)
    if place + 1 < len(names):
        return owner[: members[name].start] + owner[members[names[place + 1]].start :]
    start = members[names[place - 1]].end if place else members[name].start
    return owner[:start] + owner[members[name].end :]


def _without_code(raw: bytes, remove: Collection[str]) -> bytes:
    members = spans(raw)
    member = members["confidentiality"]
    if _code.decode(raw[member.value : member.end]) not in remove:
        return raw
    return _without(raw, members, "confidentiality")


def _places(array: bytes) -> list[tuple[int, int]]:
    """Return where each element of a JSON array begins and ends."""
    place, found = array.index(b"[") + 1, []
    for element in _elements.decode(array):
        gap = _between(array, place)
        start = gap.end() if gap else place
        place = start + len(memoryview(element))
        found.append((start, place))
    return found
