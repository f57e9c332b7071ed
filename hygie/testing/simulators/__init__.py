"""Simulators of FranceConnect, FranceConnect+, Pro Santé Connect, the e-carte Vitale and cards.

Plain ASGI, the real protocol, invented people; every page says that it is a simulator. In
demonstration mode the one programme serves them below ``/simulators/``, tests on a port of their
own.
"""

from __future__ import annotations

import fcntl
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hygie.testing.simulators.apcv import APCV
from hygie.testing.simulators.franceconnect import FRANCECONNECT
from hygie.testing.simulators.franceconnect_plus import FRANCECONNECT_PLUS
from hygie.testing.simulators.pro_sante_connect import PRO_SANTE_CONNECT, ProSanteConnect
from hygie.testing.simulators.provider import Character, Simulator
from hygie.testing.simulators.vitale import vitale_simulators
from hygie.testing.simulators.web import Receive, Scope, Send, answer, wrong

PREFIX = "/simulators/"
CHARACTERS = (FRANCECONNECT, FRANCECONNECT_PLUS, APCV, PRO_SANTE_CONNECT)


class Simulators:
    """All simulators below ``base``; ``folder`` holds what they share among workers."""

    def __init__(self, folder: Path, base: str) -> None:
        prepare(folder)
        self.cards = vitale_simulators(folder, PREFIX)
        self.by_name = {one.name: _made(one, folder, base) for one in CHARACTERS}

    def __getitem__(self, name: str) -> Simulator:
        """Return one simulator, such as ``franceconnect``."""
        return self.by_name[name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch a request by the name in its path."""
        name = scope.get("path", "").removeprefix(PREFIX).partition("/")[0]
        if scope["type"] == "http" and name in self.cards:
            await self.cards[name](scope, receive, send)
        elif scope["type"] == "http" and name in self.by_name:
            await self.by_name[name](scope, receive, send)
        elif scope["type"] == "http":
            await answer(send, wrong("not_found", status=404))


def _made(character: Character, folder: Path, base: str) -> Simulator:
    make = ProSanteConnect if character.ciba else Simulator
    return make(character, f"{base}{PREFIX}{character.name}", folder)


def prepare(folder: Path) -> None:
    """Make the client's secret and key where there are none yet; files for their owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes start at once
        _prepare(folder)


def _prepare(folder: Path) -> None:
    if not (folder / "client-key.pem").exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _write(folder / "secret", secrets.token_urlsafe(32).encode())
        _write(folder / "client-public.pem", public)
        _write(folder / "client-key.pem", private)


def described(folder: Path, base: str, *, mounted: bool = False) -> str:
    """Return the TOML text that makes Hygie a client of these simulators (``HYGIE_PROVIDERS``).

    ``mounted`` tells that the very programme of the client serves them.
    """
    return "\n".join(_table(one, folder, base, mounted=mounted) for one in CHARACTERS)


def _table(one: Character, folder: Path, base: str, *, mounted: bool) -> str:
    lines = {
        "name": one.name,
        "kind": one.name,
        "realm": "demonstration",
        "issuer": f"{base}{PREFIX}{one.name}",
        "client_id": "hygie",
        "secret_file": str(folder / "secret"),
        "acr": one.levels[0],
        "userinfo": one.userinfo,
    }
    if one.userinfo == "encrypted":
        lines["decryption_key_file"] = str(folder / "client-key.pem")
    scopes = "openid scope_all" if one.ciba else "openid identite_pivot"
    written = [f'{name} = "{value}"' for name, value in lines.items()]
    written += [
        f"scopes = {scopes.split()!r}".replace("'", '"'),
        'algorithms = ["ES256"]',
        "simulator = true",
        f"mounted = {str(mounted).lower()}",
        f"ciba = {str(one.ciba).lower()}",
        f"open_accounts = {str(not one.ciba).lower()}",
    ]
    return "\n".join(["[[provider]]", *written, ""])


def _write(file: Path, content: bytes) -> None:
    part = file.with_suffix(f".new-{secrets.token_hex(4)}")
    part.touch(mode=0o600)
    part.write_bytes(content)
    part.rename(file)
