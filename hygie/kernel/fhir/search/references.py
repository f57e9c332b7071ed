"""Read references and canonical addresses (FHIR R4, references.html and http.html#general)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_REST = re.compile(
    r"(?:(?P<base>.+)/)?(?P<type>[A-Z][A-Za-z]{2,63})/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?\Z"
)


class Ref(NamedTuple):
    """Where a reference points.

    A relative reference has ``type`` and ``id`` and no ``url``. An absolute one has its ``url``
    without version, and also ``type`` and ``id`` when it is written as a REST address. A ``urn:``
    or another canonical address has a ``url`` only. ``version`` is the part after ``/_history/``
    or ``|``.
    """

    type: str | None
    id: str | None
    version: str | None = None
    url: str | None = None


@lru_cache(maxsize=16_384)
def parse_ref(text: str) -> Ref | None:
    """Return the target of a reference, or None for a contained resource or an unreadable text.

    >>> parse_ref("Patient/1/_history/3")
    Ref(type='Patient', id='1', version='3', url=None)
    >>> parse_ref("https://a.org/fhir/Patient/1").url
    'https://a.org/fhir/Patient/1'
    >>> parse_ref("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7").type is None
    True
    >>> parse_ref("http://a.org/Questionnaire/q|1.2").version
    '1.2'
    >>> parse_ref("#contained") is None
    True
    """
    if text.startswith("#") or not text:
        return None
    address, _, version = text.partition("|")
    match = _REST.match(address)
    if match is None:
        return Ref(None, None, version or None, address) if ":" in address else None
    base, kind, rid, history = match.groups()
    url = f"{base}/{kind}/{rid}" if base else None
    return Ref(kind, rid, history or version or None, url)


def localise(ref: Ref, *, base: str) -> Ref:
    """Return the reference as a relative one when it points into the service at ``base``.

    >>> localise(Ref("Patient", "1", None, "https://a.org/fhir/Patient/1"), base="https://a.org/fhir")
    Ref(type='Patient', id='1', version=None, url=None)
    """
    if ref.url is not None and ref.url == f"{base.rstrip('/')}/{ref.type}/{ref.id}":
        return Ref(ref.type, ref.id, ref.version)
    return ref
