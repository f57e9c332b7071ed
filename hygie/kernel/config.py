"""The one settings object, read once at start from the environment and the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hygie.kernel.errors import ConfigurationError

Part = Literal["all", "api", "portal"]
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
        tls_certificate: PEM file of the certificate chain (``HYGIE_TLS_CERTIFICATE``), or None.
        tls_key: PEM file of its private key (``HYGIE_TLS_KEY``), or None.
        trusted_proxies: addresses of proxies that end TLS (``HYGIE_TRUSTED_PROXIES``, commas).
        zone: time zone of the structure for dates without a zone (``HYGIE_ZONE``).
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    only: Part = "all"
    demo: int | None = None
    url: str = ""
    database_url: str = ""
    secret: str = field(default="", repr=False)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    zone: str = "Europe/Paris"

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
    data: Path, *, environ: Mapping[str, str] | None = None, **chosen: object
) -> Settings:
    """Return the settings: command-line choices first, then the environment, then defaults.

    Raises:
        ConfigurationError: a variable cannot be read.
    """
    env = os.environ if environ is None else environ
    values: dict[str, object] = {
        "url": env.get("HYGIE_URL", ""),
        "database_url": env.get("HYGIE_DATABASE_URL", ""),
        "secret": env.get("HYGIE_SECRET", ""),
        "zone": env.get("HYGIE_ZONE", "Europe/Paris"),
        "tls_certificate": _path(env.get("HYGIE_TLS_CERTIFICATE")),
        "tls_key": _path(env.get("HYGIE_TLS_KEY")),
        "trusted_proxies": tuple(
            part.strip() for part in env.get("HYGIE_TRUSTED_PROXIES", "").split(",") if part.strip()
        ),
    }
    values.update({name: value for name, value in chosen.items() if value is not None})
    settings = Settings(data=data.expanduser().resolve(), **values)  # type: ignore[arg-type]
    check_is_coherent(settings)
    return settings


def check_is_coherent(settings: Settings) -> None:
    """Raise when the settings contradict each other.

    Raises:
        ConfigurationError: with the sentence that says what to change.
    """
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ConfigurationError(
            "Give both HYGIE_TLS_CERTIFICATE and HYGIE_TLS_KEY, or neither of them."
        )
    if settings.url and not settings.url.startswith(("http://", "https://")):
        raise ConfigurationError("HYGIE_URL must begin with http:// or https://.")


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None
