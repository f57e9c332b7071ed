from __future__ import annotations

import secrets
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygie.kernel.errors import Unavailable
from hygie.kernel.security.keys.seal import OVERHEAD, Place, Sealer

KEY = secrets.token_bytes(32)
SEALER = Sealer(KEY)
places = st.builds(
    Place,
    st.integers(0, 2**31 - 1),
    st.integers(0, 32_767),
    st.uuids(),
    st.integers(1, 2**31 - 1),
)
HERE = Place(7, 41, uuid.UUID(int=9), 3)


def sealed(content: bytes, place: Place = HERE, version: int = 1) -> bytes:
    return SEALER.seal(content, place=place, version=version, content_hash=SEALER.hash(content))


@given(st.binary(max_size=500), places, st.integers(1, 32_767))
def test_what_is_sealed_opens_in_its_place(content: bytes, place: Place, version: int) -> None:
    text = sealed(content, place, version)
    opened = Sealer(KEY).unseal(
        text, place=place, version=version, content_hash=SEALER.hash(content)
    )
    assert (opened, len(text)) == (content, len(content) + OVERHEAD)


@given(places, places)
def test_it_opens_nowhere_else(here: Place, there: Place) -> None:
    text = sealed(b"report", here)
    if here != there:
        with pytest.raises(Unavailable, match="not in its place"):
            SEALER.unseal(text, place=there, version=1, content_hash=SEALER.hash(b"report"))


@given(st.data())
def test_no_flipped_bit_is_overlooked(data: st.DataObject) -> None:
    text = bytearray(sealed(b"a report of some length"))
    bit = data.draw(st.integers(0, len(text) * 8 - 1))
    text[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unavailable, match="damaged"):
        SEALER.unseal(
            bytes(text), place=HERE, version=1,
            content_hash=SEALER.hash(b"a report of some length"),
        )  # fmt: skip


@given(st.data())
def test_nothing_cut_short_opens(data: st.DataObject) -> None:
    text = sealed(b"report")
    with pytest.raises(Unavailable):
        SEALER.unseal(
            text[: data.draw(st.integers(0, len(text) - 1))],
            place=HERE, version=1, content_hash=SEALER.hash(b"report"),
        )  # fmt: skip


def test_two_contents_of_one_version_cannot_be_exchanged() -> None:
    first = sealed(b"first")
    with pytest.raises(Unavailable):
        SEALER.unseal(first, place=HERE, version=1, content_hash=SEALER.hash(b"second"))


def test_another_version_of_the_key_is_refused() -> None:
    with pytest.raises(Unavailable):
        SEALER.unseal(
            sealed(b"x", version=1), place=HERE, version=2, content_hash=SEALER.hash(b"x")
        )


def test_equal_contents_look_different() -> None:
    assert sealed(b"same") != sealed(b"same")
    assert SEALER.hash(b"same") != Sealer(secrets.token_bytes(32)).hash(b"same")
