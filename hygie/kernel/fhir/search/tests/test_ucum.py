"""Quantities of one dimension become comparable."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hygie.kernel.fhir.search.ucum import SYSTEM, canonical_quantity, unit_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 mg", "0.005 g"),
        ("1 kg", "1000 g"),
        ("14.2 g/dL", "142 g/L"),
        ("5.5 mmol/L", "5500 umol/L"),
        ("100 mm[Hg]", "13.3322 kPa"),
        ("37 Cel", "98.6 [degF]"),
        ("310.15 K", "37 Cel"),
        ("72 /min", "1.2 /s"),
        ("72 {beats}/min", "72 /min"),
        ("250 10*3/uL", "250 10*9/L"),
        ("4.5 10*6/uL", "4.5 10*12/L"),
        ("1 L", "1000 mL"),
        ("1 l", "1 dm3"),
        ("40 %", "0.4 1"),
        ("15 {score}", "15 1"),
        ("90 mL/min/{1.73_m2}", "1.5 mL/s"),
        ("1 [lb_av]", "453.59237 g"),
        ("70 [in_i]", "177.8 cm"),
        ("1 d", "24 h"),
        ("1 wk", "168 h"),
        ("1 a", "12 mo"),
        ("30 U/L", "0.5 ukat/L"),
        ("2 m[iU]/mL", "2 [iU]/L"),
        ("3 [IU]/L", "3 [iU]/L"),
        ("24 kg/m2", "0.0024 kg/cm2"),
        ("1 mg/(kg.d)", "1 mg/kg/d"),
        ("1 meq/L", "1 mmol/L"),
    ],
)
def test_equal_quantities_have_one_canonical_form(one: str, other: str) -> None:
    assert _canonical(one) == _canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1 mol/L", "1 g/L"), ("1 [iU]/L", "1 U/L"), ("1 kg", "1 m"), ("1 mmol", "0.001 1")],
)
def test_unlike_dimensions_never_meet(one: str, other: str) -> None:
    assert _canonical(one)[1] != _canonical(other)[1]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "furlong",
        "mg/",
        "/",
        "(mg",
        "mg)",
        ".",
        "kmin",
        "m999",
        "10*99999",
        "mg mg",
        "é",
        "/0",
        "(" * 300,
    ],
)
def test_an_unknown_unit_comes_back_as_it_was(code: str) -> None:
    assert unit_of(code) is None
    assert canonical_quantity(Decimal("1.50"), SYSTEM, code) == (Decimal("1.50"), code)


def test_a_monstrous_value_is_left_alone() -> None:
    value = Decimal("1E+999999")
    assert canonical_quantity(value, SYSTEM, "mg") == (value, "mg")


def test_other_systems_are_left_alone() -> None:
    assert canonical_quantity(Decimal(1), "http://a.org", "mg") == (Decimal(1), "mg")
    assert canonical_quantity(Decimal(1), None, "mg") == (Decimal(1), "mg")
    assert canonical_quantity(Decimal(1), SYSTEM, None) == (Decimal(1), None)


def _canonical(text: str) -> tuple[Decimal, str | None]:
    value, code = text.split(" ", 1)
    return canonical_quantity(Decimal(value), SYSTEM, code)
