"""What a card or a telephone answers to the challenge of a terminal, as a QR code or over NFC.

::

    HV1  01 length statement    JSON: challenge, terminal, moment, digest of the content, kind
         02 length signature    ECDSA with SHA-256 of the statement, by the key of the card
         03 length certificate  DER, by an authority of cards
         04 length content      JSON: identity and rights
         05 length signature    ECDSA with SHA-256 of the content, by that authority

A length is two bytes. NFC carries the bytes; the QR code carries them in base32 after ``HV1:``,
which a scanner types like a keyboard. This form is ours, for the simulators: the real ones are
under contract and come in through approved readers.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from hygie.domains.cards.model.authorities import Chain
from hygie.domains.cards.model.read_out import ReadOut, read_content
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.model.revocation import CLOCKS_APART
from hygie.domains.cards.model.tables import lasts

MAGIC, PREFIX = b"HV1", "HV1:"
LARGEST = 16 * 1024
_PARTS = 5
Text = Annotated[str, msgspec.Meta(max_length=100)]


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the key of the card signs."""

    challenge: Text
    terminal: Text
    at: datetime
    content: Text
    kind: Literal["card", "apcv"]


@dataclass(frozen=True, slots=True)
class Presentation:
    """A presentation as it arrives: nothing of it is believed yet."""

    statement: bytes
    signature: bytes
    certificate: bytes
    content: bytes
    content_signature: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """What the terminal asked, and when the answer came."""

    challenge: str
    terminal: str
    at: datetime


def from_text(text: str) -> Presentation:
    """Return the presentation that a QR code carries; spaces and lines do not matter.

    Raises:
        CardRefused: it is none.
    """
    plain = "".join(text.split()).upper()
    if not plain.startswith(PREFIX) or len(plain) > 2 * LARGEST:
        raise CardRefused(Why.UNREADABLE)
    body = plain.removeprefix(PREFIX)
    try:
        return from_bytes(base64.b32decode(body + "=" * (-len(body) % 8)))
    except ValueError as wrong:
        raise CardRefused(Why.UNREADABLE) from wrong


def from_bytes(content: bytes) -> Presentation:
    """Return the presentation that NFC carries: each part once, in order, and nothing after.

    Raises:
        CardRefused: it is none.
    """
    if not content.startswith(MAGIC) or len(content) > LARGEST:
        raise CardRefused(Why.UNREADABLE)
    rest, parts = content[len(MAGIC) :], []
    for tag in range(1, _PARTS + 1):
        length = int.from_bytes(rest[1:3], "big")
        if rest[:1] != bytes([tag]) or len(rest) < 3 + length:
            raise CardRefused(Why.UNREADABLE)
        parts.append(rest[3 : 3 + length])
        rest = rest[3 + length :]
    if rest:
        raise CardRefused(Why.UNREADABLE)
    return Presentation(*parts)


def read(
    one: Presentation, asked: Asked, chain: Chain, *, systems: Collection[str]
) -> tuple[ReadOut, Statement]:
    """Return what a card says, once its chain was checked and its signatures hold.

    Raises:
        CardRefused: something is forged, too old, or meant for another terminal.
    """
    card, authority = chain[0], chain[1]
    check_signature(card, one.signature, one.statement)
    check_signature(authority, one.content_signature, one.content)
    try:
        statement = msgspec.json.decode(one.statement, type=Statement)
    except msgspec.DecodeError as wrong:
        raise CardRefused(Why.UNREADABLE) from wrong
    if statement.content != hashlib.sha256(one.content).hexdigest():
        raise CardRefused(Why.FORGED)
    if (statement.challenge, statement.terminal) != (asked.challenge, asked.terminal):
        raise CardRefused(Why.OTHER_TERMINAL)
    if statement.at.tzinfo is None:
        raise CardRefused(Why.UNREADABLE)
    age = asked.at - statement.at
    if not -CLOCKS_APART <= age <= lasts("presentation", asked.at.date()):
        raise CardRefused(Why.OVER)
    found = read_content(one.content, systems=systems)
    if found.card != _number(card):
        raise CardRefused(Why.FORGED)
    return found, statement


def check_signature(by: x509.Certificate, signature: bytes, content: bytes) -> None:
    """Check an ECDSA signature with SHA-256.

    Raises:
        CardRefused: it is not of that key, or of another kind.
    """
    key = by.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CardRefused(Why.WEAK)
    try:
        key.verify(signature, content, ec.ECDSA(SHA256()))
    except InvalidSignature as wrong:
        raise CardRefused(Why.FORGED) from wrong


def _number(card: x509.Certificate) -> str:
    """Return the number that the certificate of a card names: content of one card, one card."""
    names = card.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""
