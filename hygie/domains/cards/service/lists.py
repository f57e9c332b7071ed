"""Fetch lists of revoked cards from their addresses, and keep those that hold.

Plain HTTP is enough: a list is signed by its authority, and what is older than what is held is not
taken. Nothing is asked about anybody: the whole list comes, whoever signs in.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from pathlib import Path

import requests

from hygie.domains.cards.model.authorities import Authorities
from hygie.domains.cards.model.installation import Listed
from hygie.domains.cards.model.revocation import CLOCKS_APART, is_list_of, read_lists
from hygie.domains.cards.service.trust import LARGEST, authorities_of
from hygie.kernel.errors import Unavailable

log = logging.getLogger(__name__)
PATIENCE = 20.0
"""Seconds without an answer, or without more of it."""


def fetch(one: Listed, *, at: datetime) -> int:
    """Fetch the lists that an installation names by address; return how many were replaced."""
    kept, folder = 0, one.revocation[0]
    authorities = authorities_of(one.authorities)
    for address in one.revocation_urls:
        try:
            kept += keep(folder, address, download(address), authorities=authorities, at=at)
        except (OSError, ValueError, Unavailable) as refused:
            log.warning(
                "cards.list_not_fetched",
                extra={"address": address, "reason": type(refused).__name__},
            )
    return kept


def keep(
    folder: Path, address: str, content: bytes, *, authorities: Authorities, at: datetime
) -> bool:
    """Keep a list beside the others; tell whether it replaced what was held.

    Raises:
        ValueError: it is no list of our authorities, of the future, or older than the one held.
    """
    (fresh,) = read_lists([content])
    if not any(is_list_of(fresh, each) for each in authorities.certificates):
        raise ValueError("it is no whole list of one of our authorities")
    if fresh.last_update_utc > at + CLOCKS_APART:
        raise ValueError("it is of the future")
    file = folder / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.crl"
    if file.exists():
        (held,) = read_lists([file.read_bytes()])
        if held.issuer == fresh.issuer and held.last_update_utc > fresh.last_update_utc:
            raise ValueError("it is older than the one that is held")
        if file.read_bytes() == content:
            return False
    draft = file.with_suffix(".new")
    draft.write_bytes(content)
    draft.rename(file)
    return True


def download(address: str) -> bytes:
    """Return what an address answers, of 64 MiB at most.

    Raises:
        Unavailable: it does not answer, answers an error, or too much.
    """
    try:
        with requests.get(address, timeout=PATIENCE, stream=True, allow_redirects=False) as answer:
            if not answer.ok or answer.is_redirect:
                raise Unavailable("The address of a list answers an error.")
            content: bytes = answer.raw.read(LARGEST + 1, decode_content=True)
    except requests.RequestException as gone:
        raise Unavailable("The address of a list does not answer.") from gone
    if len(content) > LARGEST:
        raise Unavailable("The address of a list answers more than anybody reads.")
    return content
