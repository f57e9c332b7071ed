"""The files an installation trusts, read again when they change, and the checks made with them."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509

from hygie.domains.cards.model.authorities import (
    Authorities,
    Chain,
    check_extensions_are_known,
    check_use,
    read_authorities,
)
from hygie.domains.cards.model.holder import Holder, holder_of, looks_mistyped
from hygie.domains.cards.model.installation import (
    Installation,
    Professional,
    check_realm,
    read_installation,
)
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.model.revocation import Lists, Revocation, read_lists
from hygie.domains.cards.model.tables import lasts
from hygie.kernel.config import Settings
from hygie.kernel.errors import ConfigurationError

log = logging.getLogger(__name__)
LARGEST = 64 * 1024 * 1024
"""Bytes of one list; the largest national ones are a few."""
_State = tuple[tuple[str, int, int], ...]


def installation_of(settings: Settings) -> Installation:
    """Return how this installation reads cards.

    Raises:
        ConfigurationError: the file of ``HYGIE_CARDS`` cannot be read, or breaks a rule.
    """
    if settings.cards is None:
        return Installation()
    try:
        text = settings.cards.read_text("utf-8")
    except OSError as absent:
        raise ConfigurationError(f"HYGIE_CARDS names {settings.cards}: unreadable.") from absent
    return _installation(text, settings.identities, settings.cards.parent)


def check_card(one: Professional, der: bytes, *, at: datetime) -> Holder:
    """Return the holder of a card whose certificate was presented, with every check made.

    Raises:
        CardRefused: with the reason.
    """
    card = read_certificate(der)
    chain = check_chain(card, one.authorities, one.revocation, at=at)
    check_use(card, one.policies)
    holder = holder_of(chain[0], at=at.date())
    if looks_mistyped(holder.number):
        log.warning("cards.check_digit", extra={"serial": f"{card.serial_number:x}"})
    return holder


def read_certificate(content: bytes) -> x509.Certificate:
    """Return a certificate from DER.

    Raises:
        CardRefused: it is none.
    """
    try:
        return x509.load_der_x509_certificate(content)
    except ValueError as wrong:
        raise CardRefused(Why.UNREADABLE) from wrong


def der_of(pem: str) -> bytes:
    """Return the DER of one certificate in PEM.

    Raises:
        CardRefused: the text is no certificate, or several.
    """
    if pem.count("-----BEGIN") != 1:
        raise CardRefused(Why.UNREADABLE)
    try:
        return ssl.PEM_cert_to_DER_cert(pem)
    except ValueError as wrong:
        raise CardRefused(Why.UNREADABLE) from wrong


def check_chain(
    card: x509.Certificate, authorities: Path, revocation: Sequence[Path], *, at: datetime
) -> Chain:
    """Return the chain of a card, each link checked, none revoked.

    Raises:
        CardRefused: with the reason.
    """
    check_extensions_are_known(card)
    chain = authorities_of(authorities).chain_of(card, at=at)
    grace = lasts("revocation-grace", at.date())
    Revocation(lists_of(revocation)).check(chain, at=at, grace=grace)
    return chain


def authorities_of(file: Path) -> Authorities:
    """Return the authorities of a file, read again when it changed.

    Raises:
        ConfigurationError: it holds none.
    """
    return _authorities(_state([file]))


def lists_of(places: Sequence[Path]) -> Lists:
    """Return the lists of files and folders, read again when one changed; a broken one is left out.

    What is left out is missing, and a card whose list is missing is refused.
    """
    return _lists(_state(_files(places)))


def check_installation(settings: Settings) -> Installation:
    """Check what the start can check: files, realm, certificate of the listener.

    Raises:
        ConfigurationError: with the sentence that says what to change.
    """
    found = installation_of(settings)
    for one in (found.professional, found.vitale):
        if one is not None:
            authorities = authorities_of(one.authorities).certificates
            check_realm(authorities, settings.identities)
    behind_proxy = found.professional is not None and found.professional.header
    if behind_proxy and not settings.trusted_proxies:
        raise ConfigurationError(
            "HYGIE_CARDS: header = true needs the proxies' addresses in HYGIE_TRUSTED_PROXIES."
        )
    return found


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted(one for one in place.iterdir() if one.suffix in (".crl", ".pem"))
        else:
            yield place


def _state(files: Sequence[Path] | Iterator[Path]) -> _State:
    found = []
    for file in files:
        try:
            seen = file.stat()
        except OSError:
            log.warning("cards.file_missing", extra={"file": str(file)})
            continue
        found.append((str(file), seen.st_mtime_ns, seen.st_size))
    return tuple(found)


@lru_cache(maxsize=4)
def _installation(text: str, realm: str, folder: Path) -> Installation:
    return read_installation(text, realm=realm, folder=folder)


@lru_cache(maxsize=8)
def _authorities(state: _State) -> Authorities:
    try:
        return read_authorities(b"".join(Path(file).read_bytes() for file, _, _ in state))
    except (OSError, ValueError) as wrong:
        raise ConfigurationError(
            f"HYGIE_CARDS: authorities names a PEM file with a root ({wrong})."
        ) from wrong


@lru_cache(maxsize=4)
def _lists(state: _State) -> Lists:
    found: Lists = ()
    for file, _, size in state:
        if size > LARGEST:
            log.error("cards.list_too_large", extra={"file": file})
            continue
        try:
            found += read_lists([Path(file).read_bytes()])
        except (OSError, ValueError):
            log.exception("cards.list_unreadable", extra={"file": file})
    return found
