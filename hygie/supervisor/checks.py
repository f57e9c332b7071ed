"""What the start refuses: nothing of a demonstration may ever hold real records."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from hygie.kernel.config import LOOPBACK, Settings
from hygie.kernel.errors import ConfigurationError

SHORTEST_SECRET = 32
DIFFERENT_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Installation:
    """What was found in the data folder and in the application.

    Attributes:
        demonstration_accounts: whether demonstration accounts were ever made in this data folder.
        simulators: names of the simulators of outside organisations that are switched on.
    """

    demonstration_accounts: bool = False
    simulators: tuple[str, ...] = ()


def check_may_start(settings: Settings, installation: Installation) -> None:
    """Raise when starting would be unsafe.

    Raises:
        ConfigurationError: with one sentence per reason, each saying what to do.
    """
    reasons = list(refusals(settings, installation))
    if reasons:
        raise ConfigurationError(" ".join(reasons))


def refusals(settings: Settings, installation: Installation) -> Iterator[str]:
    """Yield the reasons not to start; demonstration mode has none."""
    if settings.demo is not None:
        return
    if settings.secret and not is_strong(settings.secret):
        yield (
            f"HYGIE_SECRET is a default or too weak: give {SHORTEST_SECRET} random characters or "
            "more, or leave it empty and one is drawn for this installation."
        )
    if installation.demonstration_accounts:
        yield (
            "This data folder holds demonstration accounts: start it with --demo, or choose "
            "another folder with --data for real records."
        )
    if installation.simulators:
        yield (
            f"Simulators are switched on ({', '.join(installation.simulators)}): they exist in "
            "demonstration mode only; switch them off."
        )
    if is_public_without_tls(settings):
        yield (
            "Records never cross a network in clear: give HYGIE_TLS_CERTIFICATE and "
            "HYGIE_TLS_KEY, or name the proxy that ends TLS in HYGIE_TRUSTED_PROXIES, or listen "
            "on 127.0.0.1."
        )


def is_strong(secret: str) -> bool:
    """Return whether a secret is long and varied enough not to be a default or a word.

    >>> is_strong("change-me"), is_strong("a" * 64)
    (False, False)
    """
    return len(secret) >= SHORTEST_SECRET and len(set(secret)) >= DIFFERENT_CHARACTERS


def is_public_without_tls(settings: Settings) -> bool:
    """Return whether somebody on another machine would speak to Hygie in clear."""
    if settings.tls_certificate or settings.trusted_proxies:
        return False
    named = urlsplit(settings.url)
    announced = named.scheme == "http" and named.hostname not in LOOPBACK
    return settings.host not in LOOPBACK or announced


def check_tls(settings: Settings) -> None:
    """Raise when the certificate or its key cannot be used; before anything is started.

    Raises:
        ConfigurationError: with what is wrong with the files.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, _no_passphrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"{settings.tls_certificate} and {settings.tls_key} cannot be used ({reason}): "
            "HYGIE_TLS_CERTIFICATE and HYGIE_TLS_KEY name a certificate and its key, in PEM, "
            "without passphrase."
        ) from error


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase")


def check_port_is_free(settings: Settings) -> None:
    """Raise when somebody else listens on the port.

    The serving workers share their port among themselves (SO_REUSEPORT), so without this
    question a second Hygie of the same user would silently take half of the requests.

    Raises:
        ConfigurationError: the port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {settings.port} of {settings.host} cannot be used ({error.strerror}): "
                "choose another with --port, or another address with --host."
            ) from error
