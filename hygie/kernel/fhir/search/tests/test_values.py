"""Search values are read as FHIR R4, search.html, writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.search import values
from hygie.kernel.fhir.search.dates import FIRST, LAST
from hygie.kernel.fhir.search.references import Ref
from hygie.kernel.fhir.search.values import TokenValue


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (r"a\,b", [r"a\,b"]),
        (r"a\\,b", [r"a\\", "b"]),
        ("a,,b", ["a", "", "b"]),
    ],
)
def test_commas_separate_alternatives(text: str, parts: list[str]) -> None:
    assert values.split_or(text) == parts


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("male", TokenValue(None, "male")),
        ("http://a.org|1", TokenValue("http://a.org", "1")),
        ("|1", TokenValue("", "1")),
        ("http://a.org|", TokenValue("http://a.org", None)),
        (r"a\|b", TokenValue(None, "a|b")),
        (r"s|a\,b\$c\\d", TokenValue("s", r"a,b$c\d")),
    ],
)
def test_tokens(text: str, token: TokenValue) -> None:
    assert values.parse_token(text, "code") == token


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("23", Ref(None, "23")),
        ("Patient/23", Ref("Patient", "23")),
        (
            "http://a.org/fhir/Patient/23",
            Ref("Patient", "23", None, "http://a.org/fhir/Patient/23"),
        ),
        ("http://a.org/q|1.0", Ref(None, None, "1.0", "http://a.org/q")),
        ("urn:oid:1.2", Ref(None, None, None, "urn:oid:1.2")),
    ],
)
def test_references(text: str, ref: Ref) -> None:
    assert values.parse_reference(text, "subject") == ref


@pytest.mark.parametrize(
    ("text", "prefix", "low", "high"),
    [
        ("2013", "eq", "2013-01-01T00:00+01:00", "2014-01-01T00:00+01:00"),
        ("ge2013-02", "ge", "2013-02-01T00:00+01:00", "2013-03-01T00:00+01:00"),
        ("lt2013-07-14", "lt", "2013-07-14T00:00+02:00", "2013-07-15T00:00+02:00"),
        ("2013-03-31", "eq", "2013-03-31T00:00+01:00", "2013-04-01T00:00+02:00"),
        ("ap2013-01-14T10:00", "ap", "2013-01-14T10:00+01:00", "2013-01-14T10:01+01:00"),
        ("2013-01-14T10:00:07Z", "eq", "2013-01-14T10:00:07Z", "2013-01-14T10:00:08Z"),
        ("2013-01-14T10:00:07.25Z", "eq", "2013-01-14T10:00:07.250Z", "2013-01-14T10:00:07.260Z"),
        ("2016-12-31T23:59:60Z", "eq", "2017-01-01T00:00:00Z", "2017-01-01T00:00:01Z"),
    ],
)
def test_dates(text: str, prefix: str, low: str, high: str) -> None:
    found = values.parse_date(text, "date")
    assert found == (prefix, datetime.fromisoformat(low), datetime.fromisoformat(high))


def test_the_last_days_of_the_calendar_are_open() -> None:
    assert values.parse_date("9999-12-31", "date").high == LAST
    assert values.parse_date("0001-01-01T00:00:00+14:00", "date").low == FIRST


def test_an_approximate_date_widens_by_a_tenth_of_the_gap() -> None:
    value = values.parse_date("2020-01-01T00:00:00Z", "date")
    low, high = values.approximate_date(value, now=datetime(2020, 1, 11, tzinfo=UTC))
    assert value.low - low == timedelta(days=1)
    assert high - value.high == timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "value", "low", "high"),
    [
        ("100", "100", "99.5", "100.5"),
        ("100.00", "100.00", "99.995", "100.005"),
        ("1.10", "1.10", "1.095", "1.105"),
        ("1e2", "1E+2", "95", "105"),
        ("5.4e-3", "0.0054", "0.00535", "0.00545"),
        ("-7", "-7", "-7.5", "-6.5"),
        ("ap100", "100", "90", "110"),
    ],
)
def test_numbers_carry_their_precision(text: str, value: str, low: str, high: str) -> None:
    found = values.parse_number(text, "probability")
    assert found[1:] == (Decimal(value), Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "5.4|http://unitsofmeasure.org|mg",
            ("eq", Decimal("5.4"), "http://unitsofmeasure.org", "mg"),
        ),
        ("gt5.4||mg", ("gt", Decimal("5.4"), None, "mg")),
        ("le5.40e-3", ("le", Decimal("0.00540"), None, None)),
    ],
)
def test_quantities(text: str, expected: tuple[object, ...]) -> None:
    found = values.parse_quantity(text, "value-quantity")
    assert (found.prefix, found.value, found.system, found.code) == expected


def test_typed_identifiers_have_three_parts() -> None:
    assert values.parse_typed_identifier("s|MR|446053", "identifier") == ("s", "MR", "446053")


def test_places() -> None:
    found = values.parse_near("-83.694810|42.256500|11.2|m", "near")
    assert found.kilometres == Decimal("0.0112")
    assert values.parse_near("48|2", "near").kilometres is None


def test_missing_is_true_or_false() -> None:
    assert values.parse_missing("true", "name") is True
    assert values.parse_missing("false", "name") is False


def test_composites_are_split_at_dollars() -> None:
    assert values.split_composite(r"a\$b$c", "x", parts=2) == [r"a\$b", "c"]


@pytest.mark.parametrize(
    ("parse", "texts"),
    [
        (values.parse_token, ["", "|", "a|b|c"]),
        (values.parse_reference, ["", "a/b", "#p", "not an id"]),
        (values.parse_date, ["", "2013-13", "2013-00", "2013-02-30", "13", "2013-01-01T10", "gt",
                             "2013-01-01T10:00:00 02:00", "today", "2013-01-01T25:00:00Z"]),
        (values.parse_number, ["", "x", "1,5", "NaN", "1e9999", "\N{ARABIC-INDIC DIGIT ONE}"]),
        (values.parse_quantity, ["", "5|mg", "5|a|b|c", "|a|b", "five"]),
        (values.parse_uri, ["", "a b"]),
        (values.parse_string, ["", "  "]),
        (values.parse_typed_identifier, ["a|b", "|b|c", "a|b|c|d"]),
        (values.parse_missing, ["", "yes", "TRUE"]),
        (values.parse_near, ["48", "91|0", "48|2|5|parsec", "48|2|x"]),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_form_expected(
    parse: Callable[[str, str], Any], texts: list[str]
) -> None:
    for text in texts:
        with pytest.raises(
            InvalidRequest, match=r"search parameter thing.* write it as"
        ) as refusal:
            parse(text, "thing")
        assert len(text) < 3 or text not in str(refusal.value)


def test_a_nul_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"U\+0000"):
        values.parse_string("a\0", "name")


def test_a_composite_with_a_part_too_few_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="2 values joined by"):
        values.split_composite("a", "code-value-quantity", parts=2)
