"""Which cards stand: chain, dates, use, revocation, holder; one reason each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hygie.domains.cards.model.authorities import read_authorities
from hygie.domains.cards.model.installation import Professional
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.service.trust import check_card, der_of
from hygie.testing.card_authority import (
    DAY,
    PERSON_POLICY,
    STRUCTURE_POLICY,
    Card,
    CardAuthority,
    Subject,
)

IRIS = Subject(
    number="810000000017", rpps="10000000017", family="FAURE", given="Iris", profession="10"
)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def authority() -> CardAuthority:
    return CardAuthority(now=NOW)


@pytest.fixture
def place(authority: CardAuthority, tmp_path: Path) -> Professional:
    authority.revoked.clear()
    authority.write(tmp_path)
    return Professional(
        address="https://cards.example.org",
        authorities=tmp_path / "authorities.pem",
        revocation=(tmp_path / "crl",),
        policies=(PERSON_POLICY,),
        header=True,
    )


def refused(place: Professional, card: Card, *, at: datetime = NOW) -> Why:
    with pytest.raises(CardRefused) as told:
        check_card(place, card.der(), at=at)
    return told.value.why


def test_a_card_in_order_names_its_holder(authority: CardAuthority, place: Professional) -> None:
    holder = check_card(place, authority.issue(IRIS).der(), at=NOW)
    assert (holder.number, holder.rpps, holder.profession) == ("810000000017", "10000000017", "10")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda one: one.issue(IRIS, valid=(-3 * DAY, -DAY)), Why.EXPIRED),
        (lambda one: one.issue(IRIS, valid=(DAY, 2 * DAY)), Why.NOT_YET),
        (lambda one: one.issue(IRIS, signs=True), Why.WRONG_USE),
        (lambda one: one.issuer, Why.WRONG_USE),
        (lambda one: one.issue(IRIS, policy=STRUCTURE_POLICY), Why.NOT_A_PERSON),
        (lambda one: one.issue(Subject(number="1750712184")), Why.NOT_A_PERSON),
        (lambda one: one.issue(replace(IRIS, number="? ?")), Why.NO_NUMBER),
        (lambda _: CardAuthority(now=NOW).issue(IRIS), Why.UNKNOWN_AUTHORITY),
    ],
    ids=[
        *("expired", "not yet", "signature certificate", "an authority", "structure policy"),
        *("structure subject", "no number", "other authority of the same name"),
    ],
)
def test_a_card_that_does_not_stand_is_refused(
    authority: CardAuthority,
    place: Professional,
    make: Callable[[CardAuthority], Card],
    why: Why,
) -> None:
    assert refused(place, make(authority)) == why


def test_a_revoked_card_is_refused(authority: CardAuthority, place: Professional) -> None:
    card = authority.issue(IRIS)
    check_card(place, card.der(), at=NOW)
    authority.revoke(card)
    authority.write(place.authorities.parent)
    assert refused(place, card) == Why.REVOKED


def test_a_revoked_authority_takes_its_cards_with_it(
    authority: CardAuthority, place: Professional
) -> None:
    lists = place.revocation[0]
    other = CardAuthority(now=NOW, pair=(authority.root, authority.root))
    other.revoke(authority.issuer)
    (lists / "root.crl").write_bytes(other.lists()[1])
    assert refused(place, authority.issue(IRIS)) == Why.REVOKED


def test_without_a_list_nobody_enters(authority: CardAuthority, place: Professional) -> None:
    (place.revocation[0] / "issuer.crl").unlink()
    assert refused(place, authority.issue(IRIS)) == Why.NO_LIST


def test_a_late_list_is_believed_for_a_day_of_grace_and_no_longer(
    authority: CardAuthority, place: Professional
) -> None:
    card, end = authority.issue(IRIS), NOW + 7 * DAY
    check_card(place, card.der(), at=end + timedelta(hours=23))
    assert refused(place, card, at=end + timedelta(hours=25)) == Why.STALE_LIST


def test_a_list_of_tomorrow_is_not_believed(authority: CardAuthority, place: Professional) -> None:
    authority.write_lists(place.authorities.parent, at=NOW + DAY)
    assert refused(place, authority.issue(IRIS)) == Why.NO_LIST


def test_a_list_that_another_key_signed_is_not_believed(
    authority: CardAuthority, place: Professional
) -> None:
    authority.write_lists(place.authorities.parent, signed_by=CardAuthority().issuer)
    assert refused(place, authority.issue(IRIS)) == Why.NO_LIST


def test_a_list_that_cannot_be_read_counts_as_missing(
    authority: CardAuthority, place: Professional
) -> None:
    (place.revocation[0] / "issuer.crl").write_bytes(b"not a list")
    assert refused(place, authority.issue(IRIS)) == Why.NO_LIST


def test_a_card_cannot_issue_cards(authority: CardAuthority, place: Professional) -> None:
    card = authority.issue(IRIS)
    forger = CardAuthority(now=NOW, pair=(authority.root, card))
    assert refused(place, forger.issue(IRIS)) == Why.UNKNOWN_AUTHORITY


def test_a_forged_card_is_refused(authority: CardAuthority, place: Professional) -> None:
    der = bytearray(authority.issue(IRIS).der())
    der[-1] ^= 1
    with pytest.raises(CardRefused):
        check_card(place, bytes(der), at=NOW)


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----", "hello"])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(CardRefused):
        der_of(text)


def test_two_certificates_where_one_is_expected_are_refused(authority: CardAuthority) -> None:
    with pytest.raises(CardRefused):
        der_of(authority.authorities().decode())


def test_authorities_without_a_root_are_refused(authority: CardAuthority) -> None:
    with pytest.raises(ValueError, match="root"):
        read_authorities(authority.issuer.pem())


def test_test_authorities_say_test_everywhere(authority: CardAuthority) -> None:
    for one in (authority.root, authority.issuer, authority.issue(IRIS), authority.server("h")):
        assert "TEST" in one.certificate.subject.rfc4514_string()
