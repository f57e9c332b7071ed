"""Read transaction and batch Bundles into requests (FHIR R4, http.html#transaction)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import UNSET, Raw

from hygie.kernel.errors import InvalidRequest, NotSupported, TooLarge
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.validate import parse
from hygie.kernel.store.ids import check_id
from hygie.kernel.store.pairs import read_pairs

Verb = Literal["GET", "HEAD", "POST", "PUT", "DELETE"]
MOST_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of a transaction or batch.

    ``place`` is its index, ``rid`` the id of its address, ``pairs`` the parameters after ``?``.
    ``withdraws`` tells that it corrects what was wrong (``removals``).
    """

    place: int
    verb: Verb
    rt: str
    rid: str | None
    pairs: tuple[tuple[str, str], ...]
    full_url: str | None
    raw: bytes | None
    version: int | None = None
    if_match: str | None = None
    if_none_exist: str | None = None
    if_none_match: str | None = None
    withdraws: bool = False

    @property
    def expression(self) -> str:
        """Return the FHIRPath of the entry, for an OperationOutcome."""
        return f"Bundle.entry[{self.place}]"


@dataclass(frozen=True, slots=True)
class Parts:
    """A Bundle to be carried out."""

    kind: Literal["transaction", "batch"]
    parts: tuple[Part, ...]


def read_parts(raw: bytes, *, base: str) -> Parts:
    """Return the requests of a Bundle.

    Raises:
        Malformed: it is not a Bundle.
        InvalidRequest: it is no transaction or batch, or an entry has no readable request.
        TooLarge: it has more than ``MOST_ENTRIES`` entries.
    """
    bundle = parse(raw, expect="Bundle", nested=False).resource
    if bundle.type not in ("transaction", "batch"):
        raise InvalidRequest(
            "The base address takes Bundles of type transaction or batch; "
            "POST other Bundles to /Bundle.",
            expression="Bundle.type",
        )
    entries = bundle.entry or ()
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(f"A Bundle carries at most {MOST_ENTRIES} entries; split it.")
    parts = tuple(_part(place, entry, base) for place, entry in enumerate(entries))
    _check_full_urls(parts)
    return Parts(bundle.type, parts)


def _part(place: int, entry: Any, base: str) -> Part:
    request = entry.request
    where = f"Bundle.entry[{place}].request"
    if request is UNSET:
        raise InvalidRequest("Each entry needs a request.", expression=where)
    if request.method not in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        raise NotSupported(f"{request.method} is not supported in Bundles.", expression=where)
    rt, rid, version, pairs = _address(request.url, base, where)
    raw = bytes(entry.resource) if isinstance(entry.resource, Raw) else None
    if request.method in ("POST", "PUT") and raw is None:
        raise InvalidRequest("This entry needs a resource.", expression=f"Bundle.entry[{place}]")
    if request.method == "POST" and rid is not None:
        raise InvalidRequest("A POST names a type, no id.", expression=where)
    if request.method in ("POST", "PUT", "DELETE") and _given(request.ifNoneMatch) is not None:
        raise NotSupported("A write depends on ifMatch or ifNoneExist only.", expression=where)
    return Part(
        place=place,
        verb=request.method,
        rt=rt,
        rid=rid,
        pairs=pairs,
        full_url=_given(entry.fullUrl),
        raw=raw,
        version=version,
        if_match=_given(request.ifMatch),
        if_none_exist=_given(request.ifNoneExist),
        if_none_match=_given(request.ifNoneMatch),
    )


def _address(
    url: str, base: str, where: str
) -> tuple[str, str | None, int | None, tuple[tuple[str, str], ...]]:
    """Return type, id, version and parameters of an entry's address."""
    path, _, query = url.removeprefix(f"{base}/").partition("#")[0].partition("?")
    segments = [part for part in path.split("/") if part]
    if not segments or segments[0] not in RESOURCE_TYPES:
        raise InvalidRequest(
            "request.url is relative to the base: Type, Type/id or Type?parameters.",
            expression=f"{where}.url",
        )
    pairs = tuple(read_pairs(query))
    if len(segments) == 1:
        return segments[0], None, None, pairs
    rid = check_id(segments[1])
    match segments[2:]:
        case []:
            return segments[0], rid, None, pairs
        case ["_history", version] if re.fullmatch(r"[0-9]{1,9}", version):
            return segments[0], rid, int(version), pairs
    raise NotSupported("This address is not supported in Bundles.", expression=f"{where}.url")


def _check_full_urls(parts: Sequence[Part]) -> None:
    seen: set[str] = set()
    for part in parts:
        if part.full_url is None or part.verb not in ("POST", "PUT"):
            continue
        if part.full_url in seen:
            raise InvalidRequest(
                "Two entries have the same fullUrl.", expression=f"{part.expression}.fullUrl"
            )
        seen.add(part.full_url)


def _given(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def links(targets: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Return what each placeholder is replaced by: ``{fullUrl: "Type/id"}``."""
    return {url: f"{rt}/{rid}" for url, (rt, rid) in targets.items()}
