"""Edit a resource in its bytes: what is not edited stays as it was sent, white space included.

Every function takes bytes that ``validate.parse`` accepted, or that the store made from them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from hygie.kernel.fhir.rewrite import attach_data, cut_data, replace_strings
from hygie.kernel.fhir.spans import Span, spans

__all__ = [
    "ServerFields",
    "attach_data",
    "cut_data",
    "keep_members",
    "replace_strings",
    "server_fields",
    "stamp",
    "without_members",
]

UNSET = msgspec.UNSET
Text = str | msgspec.UnsetType
Edit = tuple[int, int, bytes]
"""Replace the bytes from the first place to the second."""

_SUBSETTED = (
    b'{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}'
)
_ALWAYS = frozenset({"resourceType", "id", "meta"})


class _Meta(msgspec.Struct):
    versionId: Text = UNSET  # noqa: N815 - the JSON name
    lastUpdated: Text = UNSET  # noqa: N815 - the JSON name


class _Resource(msgspec.Struct):
    resourceType: str  # noqa: N815 - the JSON name
    id: Text = UNSET
    meta: _Meta | msgspec.UnsetType = UNSET


class ServerFields(msgspec.Struct, frozen=True):
    """The parts of a resource that the server writes; None where absent."""

    resource_type: str
    id: str | None
    version_id: str | None
    last_updated: str | None


_head = msgspec.json.Decoder(_Resource)


def server_fields(raw: bytes) -> ServerFields:
    """Return the type, id, version and date of a resource without decoding the rest.

    >>> server_fields(b'{"resourceType":"Patient","meta":{"versionId":"3"}}').version_id
    '3'
    """
    head = _head.decode(raw)
    meta = _Meta() if head.meta is UNSET else head.meta
    return ServerFields(
        head.resourceType, _known(head.id), _known(meta.versionId), _known(meta.lastUpdated)
    )


def _known(value: Text) -> str | None:
    return value if isinstance(value, str) else None


def stamp(raw: bytes, *, rid: str, version: str, updated: str) -> bytes:
    """Return the resource with its id, meta.versionId and meta.lastUpdated set.

    They are replaced in place; what is missing is inserted behind ``resourceType``.

    >>> stamp(b'{"resourceType":"Basic", "id": "x"}', rid="1", version="2", updated="2024")
    b'{"resourceType":"Basic","meta":{"versionId":"2","lastUpdated":"2024"}, "id": "1"}'
    """
    found = spans(raw, _ALWAYS)
    place = found["resourceType"].end
    edits, inserted = [], b""
    if "id" in found:
        edits.append((found["id"].value, found["id"].end, _quote(rid)))
    else:
        inserted += b',"id":' + _quote(rid)
    stamps = {"versionId": _quote(version), "lastUpdated": _quote(updated)}
    if "meta" in found:
        edits += _set_members(raw, found["meta"], stamps)
    else:
        inserted += b',"meta":{' + _join(stamps) + b"}"
    return _apply(raw, [*edits, (place, place, inserted)])


def _set_members(raw: bytes, owner: Span, values: Mapping[str, bytes]) -> list[Edit]:
    """Return the edits that set members of the object at ``owner``; new ones come first."""
    inner = spans(raw[owner.value : owner.end])
    edits: list[Edit] = []
    missing = {}
    for name, value in values.items():
        if name in inner:
            span = inner[name]
            edits.append((owner.value + span.value, owner.value + span.end, value))
        else:
            missing[name] = value
    if missing:
        first = owner.value + 1
        edits.append((first, first, _join(missing) + (b"," if inner else b"")))
    return edits


def _join(members: Mapping[str, bytes]) -> bytes:
    return b",".join(_quote(name) + b":" + value for name, value in members.items())


def _quote(text: str) -> bytes:
    return msgspec.json.encode(text)


def _apply(raw: bytes, edits: list[Edit]) -> bytes:
    pieces, place = [], 0
    for start, end, new in sorted(edits):
        pieces += [raw[place:start], new]
        place = end
    return b"".join([*pieces, raw[place:]])


def keep_members(raw: bytes, names: Collection[str]) -> bytes:
    """Return the resource with these top-level members only, and the SUBSETTED tag.

    ``resourceType``, ``id`` and ``meta`` always stay; the caller adds the mandatory elements
    (``definitions.mandatory_elements``) to ``names``. A resource that loses nothing is unchanged.
    """
    found = spans(raw)
    return _subset(raw, found, [n for n in found if n in names or n in _ALWAYS])


def without_members(raw: bytes, names: Collection[str]) -> bytes:
    """Return the resource without these top-level members, and with the SUBSETTED tag.

    >>> without_members(b'{"resourceType":"Basic","text":{}}', {"text"})[:47]
    b'{"resourceType":"Basic","meta":{"tag":[{"system'
    """
    found = spans(raw)
    return _subset(raw, found, [n for n in found if n not in names or n in _ALWAYS])


def _subset(raw: bytes, found: Mapping[str, Span], names: list[str]) -> bytes:
    if len(names) == len(found):
        return raw
    kept = (raw[found[name].start : found[name].end] for name in names)
    return _mark_subsetted(b"{" + b",".join(kept) + b"}")


def _mark_subsetted(raw: bytes) -> bytes:
    found = spans(raw, _ALWAYS)
    meta = found.get("meta")
    if meta is None:
        place = found["resourceType"].end
        return _apply(raw, [(place, place, b',"meta":{"tag":[' + _SUBSETTED + b"]}")])
    tag = spans(raw[meta.value : meta.end]).get("tag")
    if tag is None:
        return _apply(raw, _set_members(raw, meta, {"tag": b"[" + _SUBSETTED + b"]"}))
    if b'"SUBSETTED"' in raw[meta.value + tag.value : meta.value + tag.end]:
        return raw
    last = meta.value + tag.end - 1
    return _apply(raw, [(last, last, b"," + _SUBSETTED)])
