"""Whatever text comes, it is read or refused; nothing else happens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.search import values
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.fhir.search.references import parse_ref
from hygie.kernel.fhir.search.ucum import SYSTEM, canonical_quantity

TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="0123456789-:.TZ+eE|$,\\gtleq", max_size=30),
    st.from_regex(r"(ge|le|ap)?[0-9]{4}-[0-9]{2}(-[0-9]{2})?", fullmatch=True),
    st.from_regex(r"[0-9]{1,5}(\.[0-9]{1,5})?([eE]-?[0-9]{1,3})?", fullmatch=True),
)
UNITS = st.text(alphabet="mgLdkulol/.()[]{}*^0123456789-%iUHCe", max_size=15)
PARSERS: list[Callable[[str, str], Any]] = [
    values.parse_token,
    values.parse_reference,
    values.parse_date,
    values.parse_number,
    values.parse_quantity,
    values.parse_uri,
    values.parse_string,
    values.parse_typed_identifier,
    values.parse_near,
]


@pytest.mark.parametrize("parse", PARSERS)
@given(text=TEXTS)
def test_a_value_is_read_or_refused(parse: Callable[[str, str], Any], text: str) -> None:
    with contextlib.suppress(InvalidRequest):
        parse(text, "thing")


@given(text=TEXTS)
def test_a_date_that_is_read_covers_some_time(text: str) -> None:
    try:
        found = values.parse_date(text, "date")
    except InvalidRequest:
        return
    assert found.low < found.high


@given(text=TEXTS)
def test_a_number_that_is_read_lies_in_its_range(text: str) -> None:
    try:
        found = values.parse_number(text, "probability")
    except InvalidRequest:
        return
    assert found.low < found.value < found.high


@given(parts=st.lists(st.text(max_size=10), min_size=1, max_size=5))
def test_escaped_values_come_back_from_a_list(parts: list[str]) -> None:
    parts = [part.replace("\0", "") for part in parts]
    written = ",".join(
        part.replace("\\", r"\\").replace(",", r"\,").replace("|", r"\|").replace("$", r"\$")
        for part in parts
    )
    assert [values.unescape(part) for part in values.split_or(written)] == parts


@given(text=st.text(max_size=40))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(text=st.text(max_size=40))
def test_any_text_is_a_reference_or_not(text: str) -> None:
    ref = parse_ref(text)
    assert ref is None or ref.url or (ref.type and ref.id)


@given(code=UNITS, value=st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_any_unit_is_understood_or_left(code: str, value: Decimal) -> None:
    found, unit = canonical_quantity(value, SYSTEM, code)
    assert unit == code or isinstance(found, Decimal)
