"""What a carte Vitale presents: read when everything holds, else refused, one reason each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygie.domains.cards.model.installation import Vitale
from hygie.domains.cards.model.presentation import Asked, Presentation, from_bytes, from_text
from hygie.domains.cards.model.read_out import read_content
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.service.vitale import Verified, verify
from hygie.testing.card_authority import PERSON_POLICY, VITALE_POLICY, CardAuthority
from hygie.testing.simulators.people import Citizen
from hygie.testing.simulators.vitale_card import (
    VitaleCard,
    as_text,
    contents,
    packed,
    personalise,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ASKED = Asked("ABCDEFGHIJKLMNOP", "0123456789ABCDEF", NOW)
MOTHER = Citizen(
    key="a", family="Durand", given="Anne Lise", birth_date="1980-01-02", gender="female",
    birth_place="41018", ins="280014101800117",
)  # fmt: skip
SON = Citizen(
    key="b", family="Durand", given="Léo", birth_date="2015-05-06", gender="male",
    birth_place="41018", ins="115054101800121",
)  # fmt: skip
CONTENT = contents([SON, MOTHER], date(2026, 11, 22))[0]


@pytest.fixture(scope="module")
def authority() -> CardAuthority:
    return CardAuthority("VITALE", now=NOW)


@pytest.fixture
def vitale(authority: CardAuthority, tmp_path: Path) -> Vitale:
    authority.revoked.clear()
    authority.write(tmp_path)
    return Vitale(
        authorities=tmp_path / "authorities.pem",
        revocation=(tmp_path / "crl",),
        policies=(VITALE_POLICY,),
    )


@pytest.fixture
def card(authority: CardAuthority) -> VitaleCard:
    return personalise(authority, CONTENT)


def shown(card: VitaleCard, *, at: datetime = NOW, **changed: str) -> bytes:
    return card.answer(
        changed.get("challenge", ASKED.challenge), changed.get("terminal", ASKED.terminal), at=at
    )


def read(vitale: Vitale, answer: bytes, *, realm: str = "test") -> Verified:
    return verify(from_bytes(answer), vitale, ASKED, realm=realm)


def refused(vitale: Vitale, answer: bytes, *, realm: str = "test") -> Why:
    with pytest.raises(CardRefused) as told:
        read(vitale, answer, realm=realm)
    return told.value.why


def parts_of(answer: bytes) -> list[bytes]:
    one = from_bytes(answer)
    return [one.statement, one.signature, one.certificate, one.content, one.content_signature]


def changed(answer: bytes, place: int, content: bytes) -> bytes:
    parts = parts_of(answer)
    parts[place] = content
    return packed(parts)


def test_a_card_is_read(vitale: Vitale, card: VitaleCard) -> None:
    content = read(vitale, shown(card)).content
    assert content.payor == "014110001"
    assert [one.given for one in content.beneficiaries] == ["Anne", "Léo"]
    assert [one.insured for one in content.beneficiaries] == [True, False]


def test_the_qr_code_says_what_the_bytes_say(card: VitaleCard) -> None:
    answer = shown(card)
    text = as_text(answer)
    typed = "\n".join(text[at : at + 40] for at in range(0, len(text), 40)).lower()
    assert from_text(typed) == from_bytes(answer)


def test_a_qr_code_holds_an_answer(card: VitaleCard) -> None:
    """Version 40 holds 4,296 characters of this alphabet (ISO/IEC 18004)."""
    assert len(as_text(shown(card))) < 4296


def test_a_presentation_is_worth_nothing_a_minute_later(vitale: Vitale, card: VitaleCard) -> None:
    read(vitale, shown(card, at=NOW - timedelta(seconds=59)))
    assert refused(vitale, shown(card, at=NOW - timedelta(seconds=61))) == Why.OVER
    assert refused(vitale, shown(card, at=NOW + timedelta(minutes=6))) == Why.OVER


@pytest.mark.parametrize("name", ["challenge", "terminal"])
def test_another_terminal_hears_nothing(vitale: Vitale, card: VitaleCard, name: str) -> None:
    other: dict[str, Any] = {name: "OTHER"}
    assert refused(vitale, shown(card, **other)) == Why.OTHER_TERMINAL


def test_rights_that_were_changed_are_refused(vitale: Vitale, card: VitaleCard) -> None:
    answer = shown(card)
    better = card.content.replace(b"2026-12-31", b"2099-12-31")
    assert better != card.content
    assert refused(vitale, changed(answer, 3, better)) == Why.FORGED


def test_rights_that_the_card_itself_signs_are_refused(
    vitale: Vitale, authority: CardAuthority, card: VitaleCard
) -> None:
    """The holder of a card cannot write rights: its authority alone does."""
    better = card.content.replace(b"2026-12-31", b"2099-12-31")
    statement = json.loads(parts_of(shown(card))[0])
    statement["content"] = hashlib.sha256(better).hexdigest()
    written = json.dumps(statement).encode()
    own = [written, card.sign(written), card.card.der(), better, card.sign(better)]
    assert refused(vitale, packed(own)) == Why.FORGED


def test_the_content_of_another_card_is_refused(
    vitale: Vitale, authority: CardAuthority, card: VitaleCard
) -> None:
    other = personalise(authority, {**CONTENT, "card": "TEST9"})
    statement = json.loads(parts_of(shown(card))[0])
    statement["content"] = hashlib.sha256(other.content).hexdigest()
    written = json.dumps(statement).encode()
    mixed = [written, card.sign(written), card.card.der(), other.content, other.seal]
    assert refused(vitale, packed(mixed)) == Why.FORGED


def test_a_copied_answer_without_the_key_is_refused(vitale: Vitale, card: VitaleCard) -> None:
    """Who recorded an answer cannot answer the next challenge."""
    parts = parts_of(shown(card, challenge="BEFORE"))
    parts[0] = parts[0].replace(b"BEFORE", ASKED.challenge.encode())
    assert refused(vitale, packed(parts)) == Why.FORGED


def test_a_card_in_opposition_is_refused(
    vitale: Vitale, authority: CardAuthority, card: VitaleCard
) -> None:
    authority.revoke(card.card)
    authority.write(vitale.authorities.parent)
    assert refused(vitale, shown(card)) == Why.REVOKED


def test_a_card_of_another_authority_is_refused(vitale: Vitale) -> None:
    stranger = personalise(CardAuthority("VITALE", now=NOW), CONTENT)
    assert refused(vitale, shown(stranger)) == Why.UNKNOWN_AUTHORITY


def test_the_card_of_a_professional_is_no_carte_vitale(
    vitale: Vitale, authority: CardAuthority, card: VitaleCard
) -> None:
    from hygie.testing.card_authority import Subject

    key = card.card.certificate.public_key()
    other: Any = authority.issue(
        Subject(number=card.number),
        public_key=key,  # type: ignore[arg-type]
        policy=PERSON_POLICY,
    )
    assert refused(vitale, changed(shown(card), 2, other.der())) == Why.NOT_A_PERSON


def test_a_test_card_is_refused_in_production(vitale: Vitale, card: VitaleCard) -> None:
    assert refused(vitale, shown(card), realm="production") == Why.OTHER_REALM


@pytest.mark.parametrize(
    "wrong",
    [
        {"insured": "1"},
        {"beneficiaries": []},
        {"regime": "1"},
        {"surprise": True},
        {"card": 7},
    ],
    ids=str,
)
def test_content_of_another_form_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(CardRefused) as told:
        read_content(json.dumps({**CONTENT, **wrong}).encode(), systems={"x"})
    assert told.value.why == Why.UNREADABLE


@pytest.mark.parametrize(
    "damage",
    [
        lambda one: one[:-1],
        lambda one: one + b"\x00",
        lambda one: b"HV2" + one[3:],
        lambda one: one[:3] + b"\x02" + one[4:],
        lambda _: b"",
        lambda one: one + bytes(20_000),
    ],
    ids=["cut", "longer", "other form", "other order", "empty", "huge"],
)
def test_damaged_bytes_are_refused(card: VitaleCard, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CardRefused):
        from_bytes(damage(shown(card)))


@given(st.binary(max_size=200))
def test_noise_is_refused_in_words(noise: bytes) -> None:
    for content in (noise, b"HV1" + noise):
        try:
            found = from_bytes(content)
        except CardRefused:
            continue
        assert isinstance(found, Presentation)


@given(st.text(max_size=100))
def test_noise_from_a_scanner_is_refused(noise: str) -> None:
    for text in (noise, "HV1:" + noise):
        try:
            from_text(text)
        except CardRefused:
            continue
        pytest.fail("noise was read")


def test_rights_hold_on_their_days() -> None:
    one = read_content(
        json.dumps(CONTENT).encode(), systems={"urn:oid:1.2.250.1.213.1.4.10"}
    ).beneficiaries[0]
    days: Sequence[tuple[date, bool]] = (
        (date(2024, 12, 31), False),
        (date(2025, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 6, 1), True),
        (date(2028, 1, 1), False),
    )
    assert [(day, one.period_on(day) is not None) for day, _ in days] == list(days)
