"""Read a JSON file: one resource, or a Bundle of them (FHIR R4, bundle.html)."""

from __future__ import annotations

import msgspec

from hygie.kernel.errors import HygieError, InvalidRequest, Malformed, NotSupported
from hygie.kernel.fhir.scan import scan
from hygie.kernel.store.loading.items import Fault, Group, Item, identify

UNPACKED = frozenset({"transaction", "batch", "collection", "searchset"})
"""Bundles that carry resources; a document or a message is a record of its own, kept whole."""
KEPT_WHOLE = frozenset({"document", "message"})
STORING = frozenset({"POST", "PUT"})


class _Request(msgspec.Struct):
    method: str = "POST"
    url: str = ""
    ifNoneExist: str | None = None  # noqa: N815 - the JSON name


class _Search(msgspec.Struct):
    mode: str = ""


class _Entry(msgspec.Struct):
    fullUrl: str | None = None  # noqa: N815 - the JSON name
    resource: msgspec.Raw = msgspec.Raw(b"")
    request: _Request | None = None
    search: _Search | None = None


class _Bundle(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 - the JSON name
    type: str = ""
    entry: list[_Entry] = []


_bundle = msgspec.json.Decoder(_Bundle)


def unpack(raw: bytes, *, max_bytes: int) -> Group:
    """Return the resources of a Bundle, or the one resource that the text is.

    White space between the tokens of a Bundle is its own layout and is left out; every character
    of every name, text and number stays. A resource that stands alone stays as it is written.

    Raises:
        Malformed: the text is not strict JSON, or not a resource.
        NotSupported: it is a Bundle that carries no resources to be stored.
    """
    scan(raw, max_bytes=max_bytes)
    bundle = _read(raw)
    if bundle.resourceType != "Bundle" or bundle.type in KEPT_WHOLE:
        rt, rid = identify(raw)
        return Group(1, 1.0, [Item(0, rt, rid, raw, {})])
    if bundle.type not in UNPACKED:
        raise NotSupported(
            f"A Bundle of type {bundle.type[:40]!r} is not loaded: give a transaction, batch, "
            "collection or searchset.",
            expression="Bundle.type",
        )
    entries = bundle.entry
    group = Group(len(entries), 1.0)
    for place, entry in enumerate(entries):
        if entry.search is None or entry.search.mode != "outcome":
            _add(group, place, entry)
    return group


def _read(raw: bytes) -> _Bundle:
    try:
        return _bundle.decode(msgspec.json.format(raw, indent=-1))
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Malformed(f"This is not a readable Bundle: {error}.") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed("The text is not JSON; correct its syntax.") from error


def _add(group: Group, place: int, entry: _Entry) -> None:
    request = entry.request or _Request()
    try:
        if request.method not in STORING:
            raise NotSupported("Only entries that store a resource are loaded: POST or PUT.")
        if not bytes(entry.resource):
            raise InvalidRequest("This entry carries no resource.")
        raw = bytes(entry.resource)
        rt, rid = identify(raw, full_url=entry.fullUrl, url=request.url)
    except HygieError as error:
        group.faults.append(Fault(place, error, entry.fullUrl))
        return
    group.items.append(Item(place, rt, rid, raw, group.links))
    if entry.fullUrl is None:
        return
    group.links[entry.fullUrl] = f"{rt}/{rid}"
    if request.ifNoneExist:
        group.criteria[entry.fullUrl] = f"{rt}?{request.ifNoneExist.removeprefix('?')}"
    elif request.url.startswith(f"{rt}?"):
        group.criteria[entry.fullUrl] = request.url
