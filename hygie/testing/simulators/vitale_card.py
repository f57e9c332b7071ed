"""A synthetic carte Vitale: its key, its content, its answer to the challenge of a terminal.

Written from the description of the form and not from the code that reads it, so that each checks
the other (``domains/cards/model/presentation.py``). Nothing here is a real card.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from hygie.testing.card_authority import VITALE_POLICY, Card, CardAuthority, Subject
from hygie.testing.simulators.people import Citizen

TEST_NIR = "1.2.250.1.213.1.4.10"
Content = Mapping[str, Any]
Sign = Callable[[bytes], bytes]
"""Signs with the key of the card: ECDSA with SHA-256, in DER."""


@dataclass(frozen=True, slots=True)
class VitaleCard:
    """One card. ``sign`` uses its key, wherever that is; ``seal`` is its authority's signature."""

    number: str
    content: bytes
    card: Card
    sign: Sign
    seal: bytes

    def answer(
        self,
        challenge: str,
        terminal: str,
        *,
        kind: str = "card",
        at: datetime | None = None,
    ) -> bytes:
        """Return what the card gives to a terminal, in bytes."""
        statement = json.dumps(
            {
                "challenge": challenge,
                "terminal": terminal,
                "at": (at or datetime.now(UTC)).isoformat(),
                "content": hashlib.sha256(self.content).hexdigest(),
                "kind": kind,
            }
        ).encode()
        parts = (statement, self.sign(statement), self.card.der(), self.content, self.seal)
        return packed(parts)


def packed(parts: Sequence[bytes]) -> bytes:
    """Return the parts of an answer one after the other, each with its tag and length."""
    lines = [
        bytes([tag]) + len(part).to_bytes(2, "big") + part
        for tag, part in enumerate(parts, start=1)
    ]
    return b"HV1" + b"".join(lines)


def as_text(answer: bytes) -> str:
    """Return an answer as a QR code carries it."""
    return "HV1:" + base64.b32encode(answer).decode().rstrip("=")


def personalise(
    authority: CardAuthority, content: Content, *, key: ec.EllipticCurvePrivateKey | None = None
) -> VitaleCard:
    """Return a card with a content, and a key of its own."""
    held = key or ec.generate_private_key(ec.SECP256R1())
    card = certify(authority, str(content["card"]), held.public_key())
    written = json.dumps(content, ensure_ascii=False).encode()
    return VitaleCard(
        str(content["card"]),
        written,
        card,
        lambda statement: held.sign(statement, ec.ECDSA(SHA256())),
        seal_of(authority, written),
    )


def certify(authority: CardAuthority, number: str, public_key: ec.EllipticCurvePublicKey) -> Card:
    """Return the certificate of a card whose key is elsewhere."""
    subject = Subject(number=number, organization="TEST ASSURANCE MALADIE SIMULEE")
    return authority.issue(subject, public_key=public_key, policy=VITALE_POLICY)


def seal_of(authority: CardAuthority, content: bytes) -> bytes:
    """Return the signature of an authority over the content of a card."""
    if not isinstance(authority.issuer.key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority of cards signs with an elliptic curve")
    return authority.issuer.key.sign(content, ec.ECDSA(SHA256()))


def contents(citizens: Sequence[Citizen], today: date) -> list[dict[str, Any]]:
    """Return the content of one card per family name: the eldest is insured, the others are theirs.

    Who has no matricule has no card.
    """
    held = sorted(
        (one for one in citizens if one.ins), key=lambda one: (one.family, one.birth_date)
    )
    families = [list(one) for _, one in groupby(held, key=lambda one: one.family)]
    return [_content(place, family, today) for place, family in enumerate(families, start=1)]


def _content(place: int, family: Sequence[Citizen], today: date) -> dict[str, Any]:
    return {
        "card": f"TEST8025{place:012d}",
        "insured": family[0].ins,
        "regime": "01",
        "fund": "411",
        "centre": "0001",
        "beneficiaries": [
            {
                "ins": one.ins,
                "ins_oid": TEST_NIR,
                "family": one.family,
                "given": one.given.split()[0],
                "birth_date": one.birth_date,
                "insured": one is family[0],
                "rights": [
                    {"first": f"{today.year - 1}-01-01", "last": f"{today.year}-12-31"},
                    {"first": f"{today.year + 1}-01-01", "last": f"{today.year + 1}-12-31"},
                ],
            }
            for one in family
        ],
    }
