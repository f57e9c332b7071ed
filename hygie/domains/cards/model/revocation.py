"""Lists of revoked certificates: whose they are, how old, and when they are too old (RFC 5280, 5).

Lists and not OCSP: a question per sign-in would tell the authority who works where and when, and
needs the network at the moment of care; a card cannot staple an answer. Without a list that holds,
nobody enters: the doubt is about who holds the card.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from hygie.domains.cards.model.authorities import SIGNED_WITH, Chain, extension
from hygie.domains.cards.model.refusal import CardRefused, Why

CLOCKS_APART = timedelta(minutes=5)
Lists = tuple[x509.CertificateRevocationList, ...]


@dataclass(frozen=True, slots=True)
class Revocation:
    """The lists that are held, of any authority, of any age."""

    lists: Lists

    def check(self, chain: Chain, *, at: datetime, grace: timedelta) -> None:
        """Check that no link of a chain below its root is revoked.

        ``grace`` is how long a list is still believed after the day it announced the next one.

        Raises:
            CardRefused: one is revoked, or its authority's list is missing or too old.
        """
        for issued, issuer in pairwise(chain):
            held = self._newest(issuer, at=at)
            if held is None:
                raise CardRefused(Why.NO_LIST)
            until = held.next_update_utc
            if until is None or at > until + grace:
                raise CardRefused(Why.STALE_LIST)
            if held.get_revoked_certificate_by_serial_number(issued.serial_number) is not None:
                raise CardRefused(Why.REVOKED)

    def _newest(
        self, issuer: x509.Certificate, *, at: datetime
    ) -> x509.CertificateRevocationList | None:
        mine = [
            one
            for one in self.lists
            if one.last_update_utc <= at + CLOCKS_APART and is_list_of(one, issuer)
        ]
        return max(mine, key=lambda one: one.last_update_utc, default=None)


def read_lists(contents: Iterable[bytes]) -> Lists:
    """Return the lists of some files, PEM or DER.

    Raises:
        ValueError: one of them is no list.
    """
    return tuple(
        x509.load_pem_x509_crl(one) if one.startswith(b"-----") else x509.load_der_x509_crl(one)
        for one in contents
    )


def is_list_of(held: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Tell whether a list is the whole list of an authority, signed by its key."""
    usage = extension(issuer, x509.KeyUsage)
    hashed = held.signature_hash_algorithm
    if held.issuer != issuer.subject or usage is None or not usage.crl_sign:
        return False
    if hashed is None or hashed.name not in SIGNED_WITH or _is_partial(held):
        return False
    try:
        return held.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, UnsupportedAlgorithm):
        return False


def _is_partial(held: x509.CertificateRevocationList) -> bool:
    """Tell whether a list leaves something out, or says something nobody here understands."""
    for one in held.extensions:
        if isinstance(one.value, x509.DeltaCRLIndicator):
            return True
        if isinstance(one.value, x509.IssuingDistributionPoint):
            part = one.value
            if part.only_some_reasons or part.indirect_crl or part.only_contains_attribute_certs:
                return True
            if part.only_contains_ca_certs:
                return True
        elif one.critical and not isinstance(one.value, x509.AuthorityKeyIdentifier):
            return True
    return False
