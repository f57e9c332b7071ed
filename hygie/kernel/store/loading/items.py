"""What a source gives: resources on their way in, and what could not be read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from hygie.kernel.errors import HygieError, InvalidRequest, Malformed, TooLarge
from hygie.kernel.fhir.scan import MAX_BYTES, scan
from hygie.kernel.store.ids import check_id

_URN = re.compile(r"urn:uuid:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_REST = re.compile(r"(?:.*/)?([A-Z][A-Za-z]{2,63})/([A-Za-z0-9\-.]{1,64})")


class Item(msgspec.Struct, frozen=True, gc=False):
    """One resource as its source gives it.

    Attributes:
        place: its position in the source, from 0.
        rt: its type as written, not yet checked.
        rid: the id it will have.
        raw: its bytes.
        links: what replaces the references of its Bundle; shared by the whole group.
    """

    place: int
    rt: str
    rid: str
    raw: bytes
    links: Mapping[str, str]


class Fault(msgspec.Struct, frozen=True):
    """An entry that cannot be read; ``error`` says why."""

    place: int
    error: HygieError
    reference: str | None = None


@dataclass(slots=True)
class Group:
    """Entries read together: one Bundle, or some lines.

    Attributes:
        items: resources in written order.
        faults: entries that cannot be read.
        links: what replaces their references: ``{fullUrl: "Type/id"}``.
        criteria: ``{fullUrl: "Type?search"}`` of conditional creates and updates.
        after: number of entries of the source read so far.
        share: how much of the source is read so far, 0 to 1.
    """

    after: int = 0
    share: float = 0.0
    items: list[Item] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    criteria: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A file or a stream of resources.

    Attributes:
        name: as the report shows it.
        identity: changes when the content does; a load that is repeated is known by it.
        weight: its part of the whole, for the progress bar; bytes, or a number of resources.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see the class
    @property
    def identity(self) -> str: ...  # noqa: D102
    @property
    def weight(self) -> int: ...  # noqa: D102

    def groups(self, start: int) -> Iterator[Group]:
        """Yield the entries from place ``start`` on; blocks on the disk."""
        ...


class _Head(msgspec.Struct):
    resourceType: Any = None  # noqa: N815 - the JSON name
    id: Any = None


_head = msgspec.json.Decoder(_Head)


def identify(raw: bytes, *, full_url: str | None = None, url: str = "") -> tuple[str, str]:
    """Return the type of a resource and the id it will have.

    Its own id; else that of the address it is put to, or of its ``fullUrl``; else a UUID derived
    from its content, so that loading it again finds it.

    Raises:
        Malformed: it is not a JSON object with a resourceType.
        InvalidRequest: its id is not a FHIR id, or contradicts its address.
    """
    head = _read_head(raw)
    rt, own = head.resourceType, head.id
    if not isinstance(rt, str):
        raise Malformed("The resource has no resourceType.", expression="$")
    named = _REST.fullmatch(url)
    put = named[2] if named and named[1] == rt else None
    if own is None:
        return rt, check_id(put or _from_full_url(full_url, rt) or _derived(raw))
    if not isinstance(own, str):
        raise Malformed("The id must be a text.", expression=f"{rt}.id")
    if put is not None and put != own:
        raise InvalidRequest("The body and its address name different ids.", expression=f"{rt}.id")
    return rt, check_id(own)


def _read_head(raw: bytes) -> _Head:
    if len(raw) > MAX_BYTES:
        raise TooLarge(f"A resource of {len(raw)} bytes is over the limit of {MAX_BYTES}.")
    try:
        return _head.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        scan(raw)
        raise Malformed("The text is not a JSON object; correct its syntax.") from error


def _from_full_url(full_url: str | None, rt: str) -> str | None:
    if full_url is None:
        return None
    urn = _URN.fullmatch(full_url)
    if urn:
        return urn[1].lower()
    named = _REST.fullmatch(full_url)
    return named[2] if named and named[1] == rt else None


def _derived(raw: bytes) -> str:
    digest = hashlib.sha256(b"hygie-load\x00" + raw).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
