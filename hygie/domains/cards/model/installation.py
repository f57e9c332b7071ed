"""How an installation reads cards, as one TOML file describes it (``HYGIE_CARDS``).

The authorities decide everything, so a realm is theirs: those of a test say TEST in their subject,
and an installation takes the ones of its own realm only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.x509 import Certificate

from hygie.kernel.errors import ConfigurationError

TEST = "TEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """The sign-in of professionals by card.

    Attributes:
        address: public address of the listener, or of the proxy that asks for the card.
        listen: ``host:port`` of the listener; empty behind a proxy.
        certificate: PEM file of the listener's certificate chain; ``key``: of its private key.
        authorities: PEM file of the roots and authorities of cards.
        revocation: files or folders of lists of revoked certificates, PEM or DER.
        policies: certificate policies of the authentication certificates of persons.
        revocation_urls: addresses of such lists, fetched into the first folder of ``revocation``.
        header: whether the proxies of ``HYGIE_TRUSTED_PROXIES`` pass the certificate on.
    """

    address: str
    authorities: Path
    revocation: tuple[Path, ...]
    policies: tuple[str, ...]
    listen: str = ""
    certificate: Path | None = None
    key: Path | None = None
    header: bool = False
    revocation_urls: tuple[str, ...] = ()

    def listens_at(self) -> tuple[str, int]:
        """Return the address and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitale:
    """The reading of cartes Vitale and of apCV presentations.

    Attributes:
        authorities: PEM file of the roots and authorities of cards.
        revocation: files or folders of lists of revoked cards, PEM or DER.
        policies: certificate policies of the authentication certificates of these cards.
        revocation_urls: addresses of such lists, fetched into the first folder of ``revocation``.
        simulator: address of the simulators, empty for none.
    """

    authorities: Path
    revocation: tuple[Path, ...]
    policies: tuple[str, ...]
    simulator: str = ""
    revocation_urls: tuple[str, ...] = ()


Listed = Professional | Vitale
"""Whatever has authorities and lists."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What an installation reads; nothing where nothing is configured."""

    professional: Professional | None = None
    vitale: Vitale | None = None


def read_installation(text: str, *, realm: str, folder: Path) -> Installation:
    """Return what a TOML text describes; its paths are relative to ``folder``.

    Raises:
        ConfigurationError: it cannot be read, breaks a rule, or is of another realm.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigurationError(f"HYGIE_CARDS is not TOML: {wrong}.") from wrong
    if tables.pop("realm", None) != realm:
        raise ConfigurationError(f'HYGIE_CARDS must say realm = "{realm}", as this installation.')
    unknown = sorted(set(tables) - {"professional", "vitale"})
    if unknown:
        raise ConfigurationError(f"HYGIE_CARDS: nobody knows {', '.join(unknown)}.")
    found = Installation(
        _made(Professional, tables.get("professional"), folder),
        _made(Vitale, tables.get("vitale"), folder),
    )
    if found.professional is not None:
        _check(found.professional)
        _check_lists(found.professional)
    if found.vitale is not None:
        _check_vitale(found.vitale, realm)
        _check_lists(found.vitale)
    return found


def check_realm(roots: Sequence[Certificate], realm: str) -> None:
    """Check that authorities are of the realm of the installation.

    Raises:
        ConfigurationError: they are of another.
    """
    for one in roots:
        of_test = TEST in one.subject.rfc4514_string().upper()
        if of_test != (realm != "production"):
            raise ConfigurationError(
                f"The authorities of HYGIE_CARDS are not of the realm {realm}: those of a test "
                "say TEST in their subject, and never stand in production."
            )


def _made(kind: Any, table: object, folder: Path) -> Any:
    if table is None:
        return None
    if not isinstance(table, Mapping):
        raise ConfigurationError("HYGIE_CARDS holds the tables [professional] and [vitale].")
    known = {one.name for one in fields(kind)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigurationError(f"HYGIE_CARDS: nobody knows {', '.join(unknown)}.")
    try:
        return kind(**_values(table, folder))
    except TypeError as missing:
        raise ConfigurationError(f"HYGIE_CARDS: {missing}.") from missing


def _values(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    values = dict(table)
    for name in ("authorities", "certificate", "key"):
        if name in values:
            values[name] = folder / str(values[name])
    values["revocation"] = tuple(folder / str(one) for one in values.get("revocation", ()))
    for name in ("policies", "revocation_urls"):
        if name in values:
            values[name] = tuple(str(one) for one in values[name])
    return values


def _check_vitale(one: Vitale, realm: str) -> None:
    if realm == "production":
        raise ConfigurationError(
            "HYGIE_CARDS: the reading of cartes Vitale is simulated, never in production: a real "
            "card needs approved SESAM-Vitale software."
        )
    if one.simulator and realm != "demonstration":
        raise ConfigurationError("HYGIE_CARDS: simulators exist in demonstration mode only.")


def _check_lists(one: Listed) -> None:
    if any(urlsplit(each).scheme not in ("http", "https") for each in one.revocation_urls):
        raise ConfigurationError("HYGIE_CARDS: revocation_urls begin with http:// or https://.")
    first = one.revocation[0].suffix if one.revocation else "."
    if one.revocation_urls and first:
        raise ConfigurationError(
            "HYGIE_CARDS: revocation_urls are fetched into the first place of revocation, which "
            "must be a folder."
        )


def _check(one: Professional) -> None:
    if urlsplit(one.address).scheme != "https":
        raise ConfigurationError("HYGIE_CARDS: address begins with https://.")
    if not one.policies:
        raise ConfigurationError("HYGIE_CARDS: policies names at least one certificate policy.")
    if bool(one.listen) == one.header:
        raise ConfigurationError(
            "HYGIE_CARDS: give listen, or header = true behind a proxy, and not both."
        )
    if one.listen and not (one.certificate and one.key):
        raise ConfigurationError("HYGIE_CARDS: listen needs certificate and key.")
    if one.listen and not one.listen.rpartition(":")[2].isdecimal():
        raise ConfigurationError("HYGIE_CARDS: listen is host:port, such as 0.0.0.0:8443.")
