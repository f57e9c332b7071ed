"""The authorities of cards, and the chain from a card up to one of them (RFC 5280, section 6).

The handshake checks the chain once already; here it is checked again, so that a certificate that a
proxy passes on, and the one of a carte Vitale, obey the same rules with the same reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from hygie.domains.cards.model.refusal import CardRefused, Why

E = TypeVar("E", bound=x509.ExtensionType)
Chain = tuple[x509.Certificate, ...]
"""From the card to its root, both included."""
LONGEST_CHAIN = 6
SMALLEST_RSA = 2048
SMALLEST_CURVE = 256
SIGNED_WITH = frozenset({"sha256", "sha384", "sha512"})


@dataclass(frozen=True, slots=True)
class Authorities:
    """Roots, whom the operator trusts, and the authorities below them."""

    certificates: Chain

    def chain_of(self, card: x509.Certificate, *, at: datetime) -> Chain:
        """Return the chain of a card, checked link by link.

        Raises:
            CardRefused: no chain leads to a root, or a link does not hold at that time.
        """
        chain: Chain = (card,)
        while len(chain) < LONGEST_CHAIN:
            issuer = self._issuer(chain[-1], below=len(chain) - 1)
            if issuer is None:
                break
            chain = (*chain, issuer)
            if is_root(issuer):
                for one in chain:
                    check_stands(one, at=at)
                return chain
        raise CardRefused(Why.UNKNOWN_AUTHORITY)

    def _issuer(self, issued: x509.Certificate, *, below: int) -> x509.Certificate | None:
        """Return the authority that signed a certificate; ``below`` it stand so many others."""
        for one in self.certificates:
            if one.subject == issued.issuer and may_sign(one, below=below):
                try:
                    issued.verify_directly_issued_by(one)
                except (InvalidSignature, TypeError, ValueError):
                    continue
                return one
        return None


def read_authorities(pem: bytes) -> Authorities:
    """Return the authorities of a PEM text, roots and the others together.

    Raises:
        ValueError: it holds no certificate, or no root.
    """
    found = tuple(x509.load_pem_x509_certificates(pem))
    if not any(is_root(one) for one in found):
        raise ValueError("no self-signed root is among the authorities")
    return Authorities(found)


def is_root(one: x509.Certificate) -> bool:
    """Tell whether an authority signed itself."""
    return one.subject == one.issuer


def may_sign(one: x509.Certificate, *, below: int) -> bool:
    """Tell whether a certificate is an authority with so many authorities below it."""
    limits = extension(one, x509.BasicConstraints)
    usage = extension(one, x509.KeyUsage)
    if limits is None or not limits.ca or usage is None or not usage.key_cert_sign:
        return False
    return limits.path_length is None or below <= limits.path_length


def check_stands(one: x509.Certificate, *, at: datetime) -> None:
    """Check one certificate by itself: its dates, and the strength of its key and signature.

    Raises:
        CardRefused: it does not hold at that time, or it is too weak.
    """
    if at < one.not_valid_before_utc:
        raise CardRefused(Why.NOT_YET)
    if at > one.not_valid_after_utc:
        raise CardRefused(Why.EXPIRED)
    hashed = one.signature_hash_algorithm
    if hashed is None or hashed.name not in SIGNED_WITH or not is_strong(one.public_key()):
        raise CardRefused(Why.WEAK)


def is_strong(key: object) -> bool:
    """Tell whether a public key is RSA of 2048 bits or more, or of a curve of 256 or more."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= SMALLEST_RSA
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= SMALLEST_CURVE


def check_use(card: x509.Certificate, policies: Sequence[str]) -> None:
    """Check that a certificate is one of authentication, of a person's card.

    ``policies`` are the certificate policies of such cards. A signature certificate of the same
    card, and the certificate of a structure, are refused.

    Raises:
        CardRefused: it serves for something else.
    """
    limits, usage = extension(card, x509.BasicConstraints), extension(card, x509.KeyUsage)
    if (limits is not None and limits.ca) or usage is None or not usage.digital_signature:
        raise CardRefused(Why.WRONG_USE)
    extended = extension(card, x509.ExtendedKeyUsage)
    if extended is None or ExtendedKeyUsageOID.CLIENT_AUTH not in extended:
        raise CardRefused(Why.WRONG_USE)
    stated = extension(card, x509.CertificatePolicies) or ()
    if not {one.policy_identifier.dotted_string for one in stated} & set(policies):
        raise CardRefused(Why.NOT_A_PERSON)


def extension(one: x509.Certificate, kind: type[E]) -> E | None:
    """Return an extension of a certificate, None where it has none."""
    try:
        return one.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def check_extensions_are_known(card: x509.Certificate) -> None:
    """Refuse a critical extension that nobody here understands (RFC 5280, section 4.2).

    Raises:
        CardRefused: there is one, or the extensions cannot be read.
    """
    try:
        unknown = [
            one
            for one in card.extensions
            if one.critical and isinstance(one.value, x509.UnrecognizedExtension)
        ]
    except ValueError as wrong:
        raise CardRefused(Why.UNREADABLE) from wrong
    if unknown:
        raise CardRefused(Why.WRONG_USE)
