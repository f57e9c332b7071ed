"""Clauses on values that have an order: dates, numbers, quantities (FHIR R4, search.html#prefix).

A date is an interval, low included and high not; so is the date searched for. ``eq`` asks that the
one searched for contains the stored one.
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from hygie.kernel.errors import NotSupported
from hygie.kernel.fhir.search.ucum import SYSTEM as UCUM
from hygie.kernel.fhir.search.ucum import Unit, unit_of
from hygie.kernel.fhir.search.values import (
    DateValue,
    NumberValue,
    QuantityValue,
    approximate_date,
    parse_date,
    parse_number,
    parse_quantity,
)
from hygie.kernel.store.columns import columns_of, combined
from hygie.kernel.store.index import MANY_DATES
from hygie.kernel.store.search.query import Clause
from hygie.kernel.store.search.sql import Known, Sql, any_of

_DIGITS = Context(prec=40)
MAIN_HIGH = "coalesce(r.dhi, r.d + interval '1 second')"
"""The high bound of the main date: it is stored only where it is not one second later."""


def date(sql: Sql, known: Known, clause: Clause) -> str:
    """Return the condition of a date clause."""
    one = clause.parameter
    values = [parse_date(value, one.code, zone=known.site.zone) for value in clause.values]
    side = any_of([_dates(sql, known, value, ("s.lo", "s.hi")) for value in values])
    in_side = (
        "EXISTS (SELECT 1 FROM s_date s WHERE s.part = r.part AND s.key = r.key "
        f"AND s.param = {sql.bind(one.number)}::smallint AND {side})"
    )
    if one.code != columns_of(one.rt).date:
        return in_side
    main = any_of([_dates(sql, known, value, ("r.d", MAIN_HIGH)) for value in values])
    return f"((r.d IS NOT NULL AND {main}) OR ((r.flags & {MANY_DATES}) <> 0 AND {in_side}))"


def last_updated(sql: Sql, known: Known, clause: Clause) -> str:
    """Return the condition on ``_lastUpdated``, an instant to the millisecond."""
    if clause.modifier is not None:
        raise NotSupported(f"The modifier :{clause.modifier} is not supported on _lastUpdated.")
    values = [parse_date(value, "_lastUpdated", zone=known.site.zone) for value in clause.values]
    bounds = ("r.upd", "(r.upd + interval '1 millisecond')")
    return any_of([_dates(sql, known, value, bounds) for value in values])


def _dates(sql: Sql, known: Known, value: DateValue, stored: tuple[str, str]) -> str:
    if value.prefix == "ap":
        wide_low, wide_high = approximate_date(value, now=known.now)
        return _COMPARED["ap"].format(
            lo=stored[0], hi=stored[1], low=sql.instant(wide_low), high=sql.instant(wide_high)
        )
    text = _COMPARED[value.prefix]
    # PostgreSQL refuses a placeholder that the statement does not use.
    bounds = {"low": value.low, "high": value.high}
    bound = {name: sql.instant(at) for name, at in bounds.items() if f"{{{name}}}" in text}
    return text.format(lo=stored[0], hi=stored[1], **bound)


_INSIDE = "({lo} >= {low} AND {hi} <= {high})"
_COMPARED = {
    "eq": _INSIDE,
    "ne": f"NOT {_INSIDE}",
    "gt": "{hi} > {high}",
    "lt": "{lo} < {low}",
    "ge": f"({{hi}} > {{high}} OR {_INSIDE})",
    "le": f"({{lo}} < {{low}} OR {_INSIDE})",
    "sa": "{lo} >= {high}",
    "eb": "{hi} <= {low}",
    "ap": "({lo} < {high} AND {hi} > {low})",
}


def number(sql: Sql, _known: Known, clause: Clause) -> str:
    """Return the condition of a number clause."""
    one = clause.parameter
    values = [parse_number(value, one.code) for value in clause.values]
    return in_numbers(sql, one.number, any_of([compare(sql, value) for value in values]))


def quantity(sql: Sql, known: Known, clause: Clause) -> str:
    """Return the condition of a quantity clause; units of one dimension are converted."""
    one = clause.parameter
    values = [parse_quantity(value, one.code) for value in clause.values]
    return any_of(
        [
            in_numbers(sql, part.number, any_of([_quantity(sql, known, value) for value in values]))
            for part in combined(one)
        ]
    )


def in_numbers(sql: Sql, param: int, compared: str) -> str:
    """Return the condition that one row of ``s_number`` of a parameter satisfies another."""
    return (
        "(r.part, r.key) IN (SELECT s.part, s.key FROM s_number s "
        f"WHERE s.param = {sql.bind(param)}::smallint AND {compared})"
    )


def _quantity(sql: Sql, known: Known, value: QuantityValue) -> str:
    if value.code is None and value.system is None:
        return compare(sql, _as_number(value))
    units = converted(known, value)
    if not units:
        return "FALSE"
    return any_of(
        [f"(s.unit = {sql.long(token)} AND {compare(sql, number)})" for token, number in units]
    )


def converted(known: Known, value: QuantityValue) -> list[tuple[int, NumberValue]]:
    """Return the value in each stored unit it can be compared with: (unit token, number)."""
    asked = unit_of(value.code) if value.code and value.system in (UCUM, None) else None
    found = []
    for token, system, code, name in known.units:
        stored = unit_of(code) if asked and system == UCUM else None
        if asked is not None and stored is not None and stored.base == asked.base:
            found.append((token, _in_unit(value, asked, stored)))
        elif _same_unit(value, system, code, name):
            found.append((token, _as_number(value)))
    return found


def _same_unit(value: QuantityValue, system: str, code: str, name: str) -> bool:
    """Tell whether a stored unit is the one asked for: without system, its name counts too."""
    if value.system is None:
        return value.code in (None, code, name)
    return value.system == system and value.code in (None, code)


def _in_unit(value: QuantityValue, asked: Unit, stored: Unit) -> NumberValue:
    numbers = [_convert(each, asked, stored) for each in (value.value, value.low, value.high)]
    return NumberValue(value.prefix, *numbers)


def _convert(value: Decimal, asked: Unit, stored: Unit) -> Decimal:
    exact = (Fraction(value) * asked.factor + asked.offset - stored.offset) / stored.factor
    return _DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def _as_number(value: QuantityValue) -> NumberValue:
    return NumberValue(value.prefix, value.value, value.low, value.high)


def compare(sql: Sql, value: NumberValue) -> str:
    """Return the comparison of ``s.val`` with a number; ``eq`` uses its implicit precision."""
    sign = _SIGNS.get(value.prefix)
    if sign is not None:
        return f"s.val {sign} {sql.bind(value.value)}::numeric"
    low, high = f"{sql.bind(value.low)}::numeric", f"{sql.bind(value.high)}::numeric"
    close = f"(s.val >= {low} AND s.val < {high})"
    return f"NOT {close}" if value.prefix == "ne" else close


_SIGNS = {"gt": ">", "sa": ">", "lt": "<", "eb": "<", "ge": ">=", "le": "<="}
