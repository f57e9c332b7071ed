from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from hygie.kernel.config import Settings
from hygie.kernel.errors import ConfigurationError
from hygie.supervisor.checks import (
    Installation,
    check_may_start,
    check_port_is_free,
    check_tls,
    refusals,
)

REAL = Settings(data=Path("/srv/hygie"))
EMPTY = Installation()


def test_a_plain_local_start_is_allowed() -> None:
    check_may_start(REAL, EMPTY)


@pytest.mark.parametrize("secret", ["secret", "change-me", "a" * 64])
def test_a_default_secret_is_refused(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="HYGIE_SECRET is a default or too weak"):
        check_may_start(replace(REAL, secret=secret), EMPTY)


def test_a_long_random_secret_is_allowed() -> None:
    check_may_start(replace(REAL, secret="b8a1c0ffee5d4e7f9a2b3c4d5e6f7081"), EMPTY)


def test_demonstration_accounts_are_refused_outside_demonstration_mode() -> None:
    with pytest.raises(ConfigurationError, match="start it with --demo"):
        check_may_start(REAL, Installation(demonstration_accounts=True))


def test_simulators_are_refused_outside_demonstration_mode() -> None:
    with pytest.raises(ConfigurationError, match="FranceConnect"):
        check_may_start(REAL, Installation(simulators=("FranceConnect",)))


@pytest.mark.parametrize(
    "settings",
    [
        replace(REAL, host="0.0.0.0"),  # noqa: S104
        replace(REAL, host="::"),
        replace(REAL, url="http://hygie.example.org"),
    ],
)
def test_clear_http_on_a_public_address_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="never cross a network in clear"):
        check_may_start(settings, EMPTY)


@pytest.mark.parametrize(
    "settings",
    [
        replace(REAL, host="::", trusted_proxies=("10.0.0.1",)),
        replace(REAL, host="::", tls_certificate=Path("c.pem"), tls_key=Path("k.pem")),
        replace(REAL, url="https://hygie.example.org", trusted_proxies=("127.0.0.1",)),
        replace(REAL, url="http://localhost:8000"),
    ],
)
def test_a_protected_public_address_is_allowed(settings: Settings) -> None:
    check_may_start(settings, EMPTY)


def test_demonstration_mode_refuses_nothing() -> None:
    careless = replace(REAL, demo=300, secret="secret", host="::")
    everything = Installation(demonstration_accounts=True, simulators=("carte Vitale",))
    assert not list(refusals(careless, everything))


def test_every_reason_is_told_at_once() -> None:
    careless = replace(REAL, secret="secret", host="::")
    assert len(list(refusals(careless, Installation(demonstration_accounts=True)))) == 3


def test_a_port_in_use_is_refused() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigurationError, match="choose another with --port"):
            check_port_is_free(replace(REAL, port=other.getsockname()[1]))


@pytest.mark.parametrize(("certificate", "key"), [(None, None), (b"", b""), (b"no PEM", b"no PEM")])
def test_a_certificate_that_cannot_be_used_is_refused_before_anything_starts(
    tmp_path: Path, certificate: bytes | None, key: bytes | None
) -> None:
    places = tmp_path / "c.pem", tmp_path / "k.pem"
    for place, content in zip(places, (certificate, key), strict=True):
        if content is not None:
            place.write_bytes(content)
    settings = replace(REAL, tls_certificate=places[0], tls_key=places[1])
    with pytest.raises(ConfigurationError, match="name a certificate and its key"):
        check_tls(settings)
