"""The outside providers of this installation, as one TOML file describes them.

Every difference between a simulator, a provider's test platform and the real one stands here. A
provider belongs to one realm; an installation refuses those of another.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from hygie.kernel.config import LOOPBACK
from hygie.kernel.errors import ConfigurationError
from hygie.kernel.security.dated import DatedTable, load

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
SIGNATURES = frozenset({"ES256", "ES384", "RS256", "RS384", "PS256"})
"""Asymmetric only: a shared secret would let the client sign (FranceConnect v2 asks the same)."""


class Kind(enum.StrEnum):
    """Which provider's rules apply."""

    FRANCECONNECT = "franceconnect"
    FRANCECONNECT_PLUS = "franceconnect-plus"
    PRO_SANTE_CONNECT = "pro-sante-connect"
    APCV = "apcv"

    @property
    def of_professionals(self) -> bool:
        """Tell whether it proves who a professional is, and not a citizen."""
        return self is Kind.PRO_SANTE_CONNECT

    @property
    def method(self) -> str:
        """Return the word of a proof (``kernel/web/definitions/levels.csv``)."""
        return "franceconnect" if self is Kind.FRANCECONNECT_PLUS else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider, ready to be spoken to.

    Attributes:
        name: its word in our addresses, such as ``franceconnect``.
        realm: ``demonstration``, ``test`` or ``production``.
        issuer: the exact ``iss``; discovery is read below it.
        endpoints: those that discovery does not give, or gives otherwise.
        secret_file: file of the client secret; ``key_file``: PEM private key of
            ``private_key_jwt``; ``decryption_key_file``: PEM private key that opens userinfo.
        certificate_files: PEM certificate and key for mutual TLS with the provider.
        acr: the level asked for, which is also the lowest accepted.
        algorithms: signatures accepted of ID tokens and userinfo; nothing else is.
        userinfo: ``signed``, ``encrypted`` (a JWT in a JWE) or ``plain``.
        ciba: whether a second device may approve (OpenID CIBA, poll mode).
        open_accounts: whether a person without account gets one.
        simulator: whether it is one of ours; refused outside demonstration.
        mounted: whether this very programme serves that simulator.
    """

    name: str
    kind: Kind
    realm: str
    issuer: str
    client_id: str
    label: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    authentication: str = "client_secret_post"
    secret_file: str = ""
    key_file: str = ""
    decryption_key_file: str = ""
    certificate_files: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("openid",)
    acr: str = "eidas1"
    algorithms: tuple[str, ...] = ("ES256",)
    userinfo: str = "signed"
    ciba: bool = False
    open_accounts: bool = False
    simulator: bool = False
    mounted: bool = False


def read_providers(text: str, *, realm: str) -> tuple[Provider, ...]:
    """Return the providers that a TOML text describes, in its order.

    Raises:
        ConfigurationError: the text cannot be read, a provider breaks a rule, or is of another
            realm than this installation.
    """
    try:
        tables = tomllib.loads(text).get("provider", [])
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigurationError(f"HYGIE_PROVIDERS is not TOML: {wrong}.") from wrong
    if not isinstance(tables, list):
        raise ConfigurationError("HYGIE_PROVIDERS holds one [[provider]] table per provider.")
    found = tuple(_provider(table) for table in tables)
    if len({one.name for one in found}) < len(found):
        raise ConfigurationError("Two providers of HYGIE_PROVIDERS have the same name.")
    for one in found:
        _check(one, realm)
    return found


def simulators(providers: Iterable[Provider]) -> tuple[str, ...]:
    """Return the names of the simulators among them."""
    return tuple(one.name for one in providers if one.simulator)


def _provider(table: Mapping[str, Any]) -> Provider:
    known = {one.name: one for one in fields(Provider)}
    name = str(table.get("name", "?"))
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ConfigurationError(f"Provider {name}: nobody knows {', '.join(unknown)}.")
    needed = {key for key, one in known.items() if one.default is MISSING} - {"endpoints"}
    if needed - set(table):
        raise ConfigurationError(f"Provider {name}: give {', '.join(sorted(needed - set(table)))}.")
    values: dict[str, Any] = {
        key: tuple(one) if isinstance(one, list) else one for key, one in table.items()
    }
    try:
        values["kind"] = Kind(table["kind"])
    except ValueError:
        kinds = ", ".join(one.value for one in Kind)
        raise ConfigurationError(f"Provider {name}: kind is one of {kinds}.") from None
    return Provider(**values)


def _check(one: Provider, realm: str) -> None:
    """Check what a provider says of itself.

    Raises:
        ConfigurationError: with what to change.
    """
    for wrong, sentence in _rules(one, realm):
        if wrong:
            raise ConfigurationError(f"Provider {one.name}: {sentence}")


def _rules(one: Provider, realm: str) -> Iterable[tuple[bool, str]]:
    yield not _NAME.fullmatch(one.name), "its name is lower case letters, digits and hyphens."
    yield one.realm != realm, f"it is of realm {one.realm}, this installation of realm {realm}."
    yield (
        one.realm != _known_realm(one),
        "its issuer is known to be of another kind or realm: identities of two never meet.",
    )
    yield (
        (one.simulator or one.mounted) and realm != "demonstration",
        "a simulator exists in demonstration mode only.",
    )
    addresses = (one.issuer, *one.endpoints.values())
    yield (
        not one.mounted and any(not _is_safe(address, realm) for address in addresses),
        "its addresses begin with https://; http:// on this machine is for demonstration and test.",
    )
    yield (
        not one.algorithms or not set(one.algorithms) <= SIGNATURES,
        f"algorithms are among {', '.join(sorted(SIGNATURES))}.",
    )
    yield one.userinfo not in {"signed", "encrypted", "plain"}, "userinfo is signed or encrypted."
    yield (
        one.userinfo == "plain" and not one.kind.of_professionals,
        "the identity of a citizen is signed: userinfo is signed or encrypted.",
    )
    yield (
        one.userinfo == "encrypted" and not one.decryption_key_file,
        "encrypted userinfo needs decryption_key_file.",
    )
    yield (
        _lacks_secret(one),
        f"{one.authentication} needs its secret_file, key_file or certificate_files.",
    )
    yield "openid" not in one.scopes, "its scopes contain openid."


def _known_realm(one: Provider) -> str:
    """Return the realm that an issuer is known to be of, the declared one where it is unknown."""
    kind, realm = _issuers().latest().get((one.issuer,), (one.kind.value, one.realm))
    return realm if kind == one.kind else ""


@cache
def _issuers() -> DatedTable[tuple[str, str]]:
    return load(
        "hygie.domains.federation",
        "definitions/issuers.csv",
        key=("issuer",),
        make=lambda columns: (columns["kind"], columns["realm"]),
    )


def _lacks_secret(one: Provider) -> bool:
    needed = {
        "client_secret_post": bool(one.secret_file),
        "client_secret_basic": bool(one.secret_file),
        "private_key_jwt": bool(one.key_file),
        "tls_client_auth": len(one.certificate_files) == len(("certificate", "key")),
    }
    return not needed.get(one.authentication, False)


def _is_safe(address: str, realm: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname and not parts.fragment:
        return True
    return parts.scheme == "http" and parts.hostname in LOOPBACK and realm != "production"
