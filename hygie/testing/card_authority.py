"""An authority of cards for tests and demonstrations, in the manner of IGC-Santé; nothing is real.

A root, an authority below it, cards of professionals or of people, and a list of revoked ones. The
word TEST stands in every subject, and an installation in production refuses it by that word.

``python -m hygie.testing.card_authority FOLDER HOST NUMBER RPPS FAMILY GIVEN PROFESSION`` makes an
authority, the certificate of a listener and the card of somebody, as files for a browser.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PERSON_POLICY = "2.25.210398127401982374.1"
"""Certificate policy of authentication by a person's test card; an arc of nobody (X.667)."""
STRUCTURE_POLICY = "2.25.210398127401982374.2"
VITALE_POLICY = "2.25.210398127401982374.3"
DAY = timedelta(days=1)
EC = ec.SECP256R1()
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a card names; an empty part is left out of its subject."""

    number: str
    rpps: str = ""
    family: str = ""
    given: str = ""
    profession: str = ""
    organization: str = "TEST CARTES HYGIE"

    def name(self) -> x509.Name:
        """Return the subject of the certificate."""
        parts = (
            (NameOID.COUNTRY_NAME, "FR"),
            (NameOID.ORGANIZATION_NAME, self.organization),
            (NameOID.TITLE, self.profession),
            (NameOID.SURNAME, self.family),
            (NameOID.GIVEN_NAME, self.given),
            (NameOID.SERIAL_NUMBER, self.rpps),
            (NameOID.COMMON_NAME, self.number),
        )
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


@dataclass(frozen=True, slots=True)
class Card:
    """A card: its certificate, and its key where it is a soft one."""

    certificate: x509.Certificate
    key: Key | None = None

    def pem(self) -> bytes:
        """Return the certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def der(self) -> bytes:
        """Return the certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write certificate and key; return their files."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.pem())
        key.touch(mode=0o600)
        key.write_bytes(key_pem(self.key))
        return certificate, key


@dataclass(slots=True)
class CardAuthority:
    """A root and an authority below it, with keys in memory; ``name`` tells one from another."""

    name: str = "CARTES"
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    pair: tuple[Card, Card] | None = None
    revoked: list[int] = field(default_factory=list)
    root: Card = field(init=False)
    issuer: Card = field(init=False)

    def __post_init__(self) -> None:
        if self.pair is not None:
            self.root, self.issuer = self.pair
            return
        key = ec.generate_private_key(EC)
        self.root = Card(self._authority("RACINE", key.public_key(), by=None, key=key), key)
        key = ec.generate_private_key(EC)
        self.issuer = Card(self._authority("INTERMEDIAIRE", key.public_key(), by=self.root), key)

    def issue(
        self,
        subject: Subject,
        *,
        public_key: PublicKey | None = None,
        policy: str = PERSON_POLICY,
        signs: bool = False,
        valid: tuple[timedelta, timedelta] = (-DAY, 365 * DAY),
    ) -> Card:
        """Return a card; with a ``public_key`` its key stands elsewhere, such as in a token.

        ``signs`` makes the other certificate of a card, which signs and does not authenticate;
        ``valid`` is from now.
        """
        key = None if public_key else ec.generate_private_key(EC)
        made = self._begun(subject.name(), public_key or key.public_key(), by=self.issuer)  # type: ignore[union-attr]
        made = made.not_valid_before(self.now + valid[0]).not_valid_after(self.now + valid[1])
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(_usage(digital_signature=not signs, content=signs), critical=True)
        use = ExtendedKeyUsageOID.EMAIL_PROTECTION if signs else ExtendedKeyUsageOID.CLIENT_AUTH
        made = made.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        stated = x509.PolicyInformation(x509.ObjectIdentifier(policy), None)
        made = made.add_extension(x509.CertificatePolicies([stated]), critical=False)
        return Card(_signed(made, self.issuer), key)

    def server(self, host: str) -> Card:
        """Return the certificate of a listener."""
        key = ec.generate_private_key(EC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"TEST {host}")])
        made = self._begun(name, key.public_key(), by=self.issuer)
        made = made.not_valid_before(self.now - DAY).not_valid_after(self.now + 30 * DAY)
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        made = made.add_extension(names, critical=False)
        return Card(_signed(made, self.issuer), key)

    def revoke(self, card: Card) -> None:
        """Put a card on the next list."""
        self.revoked.append(card.certificate.serial_number)

    def lists(
        self,
        *,
        at: datetime | None = None,
        lasts: timedelta = 7 * DAY,
        signed_by: Card | None = None,
    ) -> tuple[bytes, bytes]:
        """Return the lists of the root and of the authority below it, in DER, made ``at``."""
        made = at or self.now
        return (
            _list(self.root, signed_by or self.root, [], (made, made + lasts)),
            _list(self.issuer, signed_by or self.issuer, self.revoked, (made, made + lasts)),
        )

    def authorities(self) -> bytes:
        """Return the certificates of both authorities, in PEM."""
        return self.root.pem() + self.issuer.pem()

    def write(self, folder: Path) -> None:
        """Write ``authorities.pem`` and the lists below ``crl/``."""
        (folder / "crl").mkdir(parents=True, exist_ok=True)
        (folder / "authorities.pem").write_bytes(self.authorities())
        self.write_lists(folder)

    def write_lists(self, folder: Path, **how: Any) -> None:
        """Write the lists again."""
        for name, content in zip(("root", "issuer"), self.lists(**how), strict=True):
            file = folder / "crl" / f"{name}.crl"
            file.with_suffix(".new").write_bytes(content)
            file.with_suffix(".new").rename(file)

    def _authority(
        self, rank: str, public: PublicKey, *, by: Card | None, key: Key | None = None
    ) -> x509.Certificate:
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TEST HYGIE"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"TEST {self.name} {rank}"),
            ]
        )
        made = self._begun(name, public, by=by)
        made = made.not_valid_before(self.now - 30 * DAY).not_valid_after(self.now + 3650 * DAY)
        limits = x509.BasicConstraints(ca=True, path_length=1 if by is None else 0)
        made = made.add_extension(limits, critical=True)
        made = made.add_extension(_usage(authority=True), critical=True)
        if by is None and key is not None:
            return made.sign(key, hashes.SHA256())
        return _signed(made, by or self.root)

    def _begun(
        self, name: x509.Name, public: PublicKey, *, by: Card | None
    ) -> x509.CertificateBuilder:
        issuer = by.certificate.subject if by else name
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )


def open_authority(folder: Path, name: str) -> CardAuthority:
    """Return the authority of a folder, made there the first time; its lists last for years."""
    if not (folder / "root.key").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Several workers start at once: the folder appears whole, and the first one wins.
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        fresh = CardAuthority(name)
        fresh.write(draft)
        fresh.write_lists(draft, lasts=3650 * DAY)
        fresh.root.write(draft, "root")
        fresh.issuer.write(draft, "issuer")
        with contextlib.suppress(OSError):
            draft.rename(folder)
        shutil.rmtree(draft, ignore_errors=True)
    root, issuer = (
        _read(folder / f"{rank}.pem", folder / f"{rank}.key") for rank in ("root", "issuer")
    )
    return CardAuthority(name, pair=(root, issuer))


def _read(certificate: Path, key: Path) -> Card:
    held = serialization.load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(held, ec.EllipticCurvePrivateKey):
        raise TypeError("the keys of test authorities are of an elliptic curve")
    return Card(x509.load_pem_x509_certificate(certificate.read_bytes()), held)


def key_pem(key: Key | None) -> bytes:
    """Return a soft key in PEM, without passphrase."""
    if key is None:
        raise ValueError("the key of this card never leaves it")
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _signed(made: x509.CertificateBuilder, by: Card) -> x509.Certificate:
    if by.key is None:
        raise ValueError("an authority signs with its own key")
    return made.sign(by.key, hashes.SHA256())


def _list(of: Card, by: Card, serials: Sequence[int], dates: tuple[datetime, datetime]) -> bytes:
    made = x509.CertificateRevocationListBuilder().issuer_name(of.certificate.subject)
    made = made.last_update(dates[0]).next_update(dates[1])
    for serial in serials:
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(dates[0])
        made = made.add_revoked_certificate(one.build())
    if by.key is None:
        raise ValueError("an authority signs with its own key")
    return made.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _usage(
    *, digital_signature: bool = False, content: bool = False, authority: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def main(words: Sequence[str]) -> None:
    """Write an authority, a listener and a card below a folder; print ``HYGIE_CARDS``."""
    place, host, number, rpps, family, given, profession = words
    folder = Path(place)
    authority = open_authority(folder, "CARTES")
    authority.server(host).write(folder, "server")
    subject = Subject(number=number, rpps=rpps, family=family, given=given, profession=profession)
    authority.issue(subject).write(folder, "card")
    told = f"""realm = "demonstration"

[professional]
address = "https://{host}:8443"
listen = "127.0.0.1:8443"
certificate = "server.pem"
key = "server.key"
authorities = "authorities.pem"
revocation = ["crl"]
policies = ["{PERSON_POLICY}"]
"""
    (folder / "cards.toml").write_text(told, "utf-8")
    sys.stdout.write(told)


if __name__ == "__main__":
    main(sys.argv[1:])
