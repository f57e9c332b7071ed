"""The one settings object, read once at start from the environment and the command line."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from hygie.kernel.errors import ConfigurationError

Part = Literal["all", "api", "portal"]
LogFormat = Literal["human", "json"]
Realm = Literal["demonstration", "test", "production"]
LAST_PORT = 65_535
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator may choose.

    Attributes:
        data: the data folder (database, blobs, keys, sockets); created when absent.
        host: the address to listen on.
        port: the one port.
        workers: how many serving processes.
        only: serve everything, or one face behind a proxy.
        demo: size of the demonstration population; None outside demonstration mode.
        url: public address (``HYGIE_URL``), used in links and in ``fullUrl``; empty means
            ``http://host:port``.
        database_url: connection string of a real PostgreSQL (``HYGIE_DATABASE_URL``); empty means
            the embedded server.
        secret: key of sessions and cursors (``HYGIE_SECRET``); empty means the file
            ``data/keys/secret``, created with 32 random bytes at first start.
        keys: where the key-encryption keys are (``HYGIE_KEYS``): empty means files in
            ``data/keys/kek``, made at first start; ``pkcs11:token=LABEL?module-path=LIBRARY&
            pin-source=FILE`` (RFC 7512) means a PKCS#11 token.
        ledger: file of a second copy of the erasure ledger, on a disk that outlives this one
            (``HYGIE_LEDGER``), or None.
        tls_certificate: PEM file of the certificate chain (``HYGIE_TLS_CERTIFICATE``), or None.
        tls_key: PEM file of its private key (``HYGIE_TLS_KEY``), or None.
        trusted_proxies: addresses of proxies that end TLS (``HYGIE_TRUSTED_PROXIES``, commas).
        zone: time zone of the structure for dates without a zone (``HYGIE_ZONE``).
        log: how a line of log is written, for people or as JSON (``HYGIE_LOG``).
        providers: TOML file of the outside identity providers (``HYGIE_PROVIDERS``), or None.
        cards: TOML file of the professionals' cards and cartes Vitale (``HYGIE_CARDS``), or None.
        call_applications: whether approved applications are called on the Internet, for the keys at
            their own address and to tell them of a sign-out (``HYGIE_CALL_APPLICATIONS``, yes/no).
        realm: whose identities are met here (``HYGIE_REALM``); empty means demonstration in
            demonstration mode and production otherwise.
        networks: networks of establishments whose people share an address (``HYGIE_NETWORKS``,
            CIDR, commas): tries of sign-in are counted more widely there.
        sms_url: HTTP gateway of text messages (``HYGIE_SMS_URL``); empty means none is sent.
        sms_token: its bearer token (``HYGIE_SMS_TOKEN``).
        mail_url: mail server (``HYGIE_MAIL_URL``), ``smtp://`` or ``smtps://``; empty means none.
        mail_from: address that e-mails come from (``HYGIE_MAIL_FROM``).
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    only: Part = "all"
    demo: int | None = None
    url: str = ""
    database_url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    keys: str = ""
    ledger: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    zone: str = "Europe/Paris"
    log: LogFormat = "human"
    witnesses: tuple[str, ...] = ()
    timestamp_url: str = ""
    timestamp_certificate: Path | None = None
    providers: Path | None = None
    cards: Path | None = None
    realm: Realm | Literal[""] = ""
    call_applications: bool = False
    networks: tuple[str, ...] = ()
    sms_url: str = ""
    sms_token: str = field(default="", repr=False)
    mail_url: str = field(default="", repr=False)
    mail_from: str = ""

    @property
    def identities(self) -> Realm:
        """Return the realm whose identities, tokens and matricules are met here."""
        return self.realm or ("production" if self.demo is None else "demonstration")

    @property
    def base_url(self) -> str:
        """Return the public address without a final slash."""
        scheme = "https" if self.tls_certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.url or f"{scheme}://{host}:{self.port}").rstrip("/")

    @property
    def fhir_base(self) -> str:
        """Return the FHIR service base URL (FHIR R4, http.html#root)."""
        return f"{self.base_url}/fhir"


def settings_from_environment(
    data: Path | None = None, *, environ: Mapping[str, str] | None = None, **chosen: object
) -> Settings:
    """Return the settings: command-line choices first, then the environment, then defaults.

    The environment's variables are ``HYGIE_`` and the name of the setting: ``HYGIE_DATA``,
    ``HYGIE_PORT``, ``HYGIE_DATABASE_URL``...

    Raises:
        ConfigurationError: a variable cannot be read.
    """
    env = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for name, read in _READERS.items():
        text = env.get(f"HYGIE_{name.upper()}", "").strip()
        if text:
            values[name] = _read(name, text, read)
    values.update({name: value for name, value in chosen.items() if value is not None})
    folder = data or values.get("data") or Path("var")
    values["data"] = Path(str(folder)).expanduser().resolve()
    settings = Settings(**values)  # type: ignore[arg-type]
    check_is_coherent(settings)
    return settings


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the variables from which a child process reads the same settings.

    >>> environment_of(Settings(data=Path("/srv/hygie"), demo=300))["HYGIE_DEMO"]
    '300'
    """
    values = {each.name: getattr(settings, each.name) for each in fields(settings)}
    return {
        f"HYGIE_{name.upper()}": ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }


def check_is_coherent(settings: Settings) -> None:
    """Raise when the settings contradict each other.

    Raises:
        ConfigurationError: with the sentence that says what to change.
    """
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ConfigurationError(
            "Give both HYGIE_TLS_CERTIFICATE and HYGIE_TLS_KEY, or neither of them."
        )
    if settings.only not in get_args(Part) or settings.log not in get_args(LogFormat):
        raise ConfigurationError(
            "HYGIE_ONLY is all, api or portal, and HYGIE_LOG is human or json."
        )
    if settings.identities not in get_args(Realm):
        raise ConfigurationError("HYGIE_REALM is demonstration, test or production.")
    if (settings.identities == "demonstration") != (settings.demo is not None):
        raise ConfigurationError(
            "HYGIE_REALM is demonstration in demonstration mode (--demo) and never outside of it."
        )
    if settings.database_url and not settings.database_url.startswith(
        ("postgresql://", "postgres://")
    ):
        raise ConfigurationError("HYGIE_DATABASE_URL must begin with postgresql://.")
    _check_gateways(settings)
    if not 0 < settings.port <= LAST_PORT:
        raise ConfigurationError(f"HYGIE_PORT or --port is a number from 1 to {LAST_PORT}.")
    if settings.url and not settings.url.startswith(("http://", "https://")):
        raise ConfigurationError("HYGIE_URL must begin with http:// or https://.")


def _check_gateways(settings: Settings) -> None:
    local = {urlsplit(settings.sms_url).hostname} <= LOOPBACK
    if settings.sms_url and not (settings.sms_url.startswith("https://") or local):
        raise ConfigurationError("HYGIE_SMS_URL must begin with https://.")
    if settings.mail_url and not settings.mail_url.startswith(("smtp://", "smtps://")):
        raise ConfigurationError("HYGIE_MAIL_URL must begin with smtp:// or smtps://.")
    if bool(settings.mail_url) != bool(settings.mail_from):
        raise ConfigurationError("Give both HYGIE_MAIL_URL and HYGIE_MAIL_FROM, or neither.")


def _read(name: str, text: str, read: Callable[[str], object]) -> object:
    try:
        return read(text)
    except ValueError as error:
        words: dict[object, str] = {_yes: "yes or no", _networks: "networks like 198.51.100.0/24"}
        wanted = words.get(read, "a number")
        raise ConfigurationError(f"HYGIE_{name.upper()} must be {wanted}, not {text!r}.") from error


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _yes(text: str) -> bool:
    """Return what a switch says.

    >>> _yes("yes"), _yes("False")
    (True, False)
    """
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(one, strict=False)) for one in _list(text))


_READERS: dict[str, Callable[[str], object]] = {
    "data": _path,
    "host": str,
    "port": int,
    "workers": int,
    "only": str,
    "demo": int,
    "url": str,
    "database_url": str,
    "secret": str,
    "keys": str,
    "ledger": _path,
    "tls_certificate": _path,
    "tls_key": _path,
    "trusted_proxies": _list,
    "zone": str,
    "log": str,
    "witnesses": _list,
    "timestamp_url": str,
    "timestamp_certificate": _path,
    "providers": _path,
    "cards": _path,
    "realm": str,
    "call_applications": _yes,
    "networks": _networks,
    "sms_url": str,
    "sms_token": str,
    "mail_url": str,
    "mail_from": str,
}
