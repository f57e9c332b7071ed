"""A key in a PKCS#11 token of SoftHSM2, as in the chip of a card: made, used and kept there.

Each use is a process of its own, because a process opens SoftHSM2 under one configuration only:
``python -m hygie.testing.token_key make|sign LABEL [HEX]`` prints hexadecimal.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

with contextlib.suppress(ImportError):  # an extra: pip install hygie[pkcs11]
    import pkcs11
    from pkcs11.util import ec
    from pkcs11.util.rsa import encode_rsa_public_key

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
TOKEN, PIN = "hygie-card", "1234"


@dataclass(frozen=True, slots=True)
class CardToken:
    """A token below a folder."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables with which a programme finds the token."""
        return {**os.environ, "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def address(self, label: str) -> str:
        """Return the address of a key (RFC 7512)."""
        return f"pkcs11:token={TOKEN};object={label};type=private?pin-value={PIN}"

    def make(self, label: str, kind: str) -> Any:
        """Make a key pair, ``rsa`` or ``ec``; return the public key."""
        return load_der_public_key(self._asked("make", label, kind))

    def sign(self, label: str, content: bytes) -> bytes:
        """Return the ECDSA signature of a content with SHA-256, in DER."""
        return self._asked("sign", label, content.hex())

    def _asked(self, *words: str) -> bytes:
        told = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "hygie.testing.token_key", *words],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return bytes.fromhex(told.stdout.strip())


def module() -> str:
    """Return the library of SoftHSM2, empty where it is not installed."""
    return next((path for path in MODULES if Path(path).exists()), "")


def new_token(folder: Path) -> CardToken:
    """Return a new token below a folder."""
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    made = CardToken(folder)
    words = ["--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "4321"]
    subprocess.run(  # noqa: S603 - fixed words
        ["softhsm2-util", *words],  # noqa: S607 - wherever the system has it
        env=made.environment,
        check=True,
        capture_output=True,
    )
    return made


def _make(session: Any, label: str, kind: str) -> bytes:
    kept = {pkcs11.Attribute.EXTRACTABLE: False, pkcs11.Attribute.SENSITIVE: True}
    if kind == "rsa":
        public, _ = session.generate_keypair(
            pkcs11.KeyType.RSA, 2048, store=True, label=label, private_template=kept
        )
        held = load_der_public_key(encode_rsa_public_key(public))
        return held.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    curve = {pkcs11.Attribute.EC_PARAMS: ec.encode_named_curve_parameters("secp256r1")}
    domain = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
    public, _ = domain.generate_keypair(store=True, label=label, private_template=kept)
    return bytes(ec.encode_ec_public_key(public))


def _sign(session: Any, label: str, content: bytes) -> bytes:
    key = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=label)
    raw = key.sign(hashlib.sha256(content).digest(), mechanism=pkcs11.Mechanism.ECDSA)
    return bytes(ec.encode_ecdsa_signature(raw))


def main(words: list[str]) -> None:
    """Carry out one order in the token."""
    what, label, rest = words
    token = pkcs11.lib(module()).get_token(token_label=TOKEN)
    with token.open(rw=True, user_pin=PIN) as session:
        if what == "make":
            answer = _make(session, label, rest)
        else:
            answer = _sign(session, label, bytes.fromhex(rest))
    sys.stdout.write(answer.hex() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
