"""From a resource to the row that finds it again: tokens, dates, strings, numbers, policy columns.

Pure: patients and parties stay references here; they become surrogate numbers when the row is
written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.fhir.search.references import Ref, localise
from hygie.kernel.fhir.search.registry import Parameter
from hygie.kernel.security.matters import CODED_BY, matter_of
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import Columns, columns_of, combined, stored_name
from hygie.kernel.store.compose import NumberRow, composite_rows, unit_parts
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.labels import policy_labels
from hygie.kernel.store.reach import givers, local_addresses, receivers
from hygie.kernel.store.units import UnitRow

MANY_DATES = 1
"""Flag: the main date has several values, so it stands in ``s_date`` too."""
NAMES_PATIENT = 2
"""Flag: ``pat`` is who parameter ``patient`` names, and no other patient of the compartment."""


class Indexed(msgspec.Struct, gc=False):
    """Everything of a resource that is kept beside its body.

    ``strings`` holds (parameter number, folded, original or None); ``dates`` (number, low, high);
    ``numbers`` (number, value, unit token); ``units`` (unit token, system, code, name). ``takes``
    are the resources whose labels reach this one, ``gives`` those that its labels reach, each with
    the name its token is hashed with.
    """

    rt: str
    present: int
    toks: list[int]
    frequent: list[int]
    code: int | None
    date: tuple[datetime, datetime] | None
    strings: list[tuple[int, str, str | None]]
    dates: list[tuple[int, datetime, datetime]]
    numbers: list[NumberRow]
    units: list[UnitRow]
    patients: list[PartyRef]
    author: PartyRef | None
    structure: PartyRef | None
    document_class: int | None
    label: int
    flags: int
    matter: int = 0
    takes: list[PartyRef] = []
    gives: list[tuple[str, PartyRef]] = []


def index(
    rt: str,
    found: Extracted,
    patients: list[Ref],
    *,
    base: str = "",
    linked: Sequence[tuple[str, PartyRef]] = (),
) -> Indexed:
    """Return the index row of a resource from its extracted search values.

    References that are written with the ``base`` address of this server are its own. ``linked``
    are references that no search parameter finds (``reach.unsearched``).
    """
    columns = columns_of(rt)
    found.references = [(one, localise(ref, base=base)) for one, ref in found.references]
    named = _named(columns, found)
    people = _patients(named, [localise(ref, base=base) for ref in patients])
    mine = named[0] if named else None
    toks, frequent, code = _tokens(columns, found)
    toks.update(_references(columns, found, mine))
    composite_toks, composite_numbers = composite_rows(found)
    toks.update(composite_toks)
    toks.update(tokens.reference_token(name, *ref) for name, ref in linked)
    toks.update(local_addresses(rt, found, base=base))
    main, dates = _dates(columns, found)
    document_class, label = policy_labels(rt, found)
    return Indexed(
        rt=rt,
        present=found.present,
        toks=sorted(toks),
        frequent=sorted(frequent),
        code=code,
        date=main[0] if main else None,
        strings=_strings(found),
        dates=dates,
        numbers=[*_numbers(found), *composite_numbers],
        units=_units(found),
        patients=people,
        author=_party(found, columns.author),
        structure=_party(found, columns.structure, only="Organization"),
        document_class=document_class,
        label=label,
        matter=_matter(rt, found),
        takes=list(dict.fromkeys([*givers(rt, found), *(ref for _, ref in linked)])),
        gives=receivers(rt, found),
        flags=(MANY_DATES if len(main) > 1 else 0) | (NAMES_PATIENT if named else 0),
    )


def _matter(rt: str, found: Extracted) -> int:
    element = CODED_BY.get(rt)
    return matter_of(rt, [code for one, _, code in found.tokens if code and one.code == element])


def _named(columns: Columns, found: Extracted) -> list[PartyRef]:
    """Return the patients of this server that parameter ``patient`` names."""
    return [
        (ref.type, ref.id)
        for one, ref in found.references
        if one.code in columns.patient and ref.type == "Patient" and ref.id and ref.url is None
    ]


def _patients(named: list[PartyRef], patients: list[Ref]) -> list[PartyRef]:
    """Return the patients of this server whose compartment it is in, the named ones first.

    A reference to another server names none of ours, whatever its last word is.
    """
    local = [(ref.type, ref.id) for ref in patients if ref.type and ref.id and ref.url is None]
    return list(dict.fromkeys([*named, *local]))


def _tokens(columns: Columns, found: Extracted) -> tuple[set[int], set[int], int | None]:
    toks: set[int] = set()
    frequent: set[int] = set()
    codes: set[int] = set()
    for one, system, code in found.tokens:
        if len(combined(one)) > 1:
            continue
        name = stored_name(one.rt, one.code)
        if one.code in columns.frequent:
            frequent.update(token_forms(name, one, system, code))
        elif one.code == columns.code and system and code:
            codes.add(tokens.code_token(name, system, code))
            toks.add(tokens.any_system(name, code))
            toks.add(tokens.any_code(name, system))
        else:
            toks.update(token_forms(name, one, system, code))
    for one, system, kind, value in found.typed_identifiers:
        toks.add(tokens.typed_identifier(stored_name(one.rt, one.code), system or "", kind, value))
    for one, uri in found.uris:
        toks.add(tokens.url_token(stored_name(one.rt, one.code), uri))
    if len(codes) == 1:
        return toks, frequent, codes.pop()
    return toks | codes, frequent, None


def token_forms(name: str, one: Parameter, system: str | None, code: str | None) -> list[int]:
    """Return the tokens of one value: every form it can be searched by."""
    forms: list[int] = []
    if code is not None:
        forms.append(tokens.any_system(name, code))
        if system or not one.implicit_systems:
            forms.append(tokens.code_token(name, system or "", code))
    if system:
        forms.append(tokens.any_code(name, system))
    return forms


def _references(columns: Columns, found: Extracted, mine: PartyRef | None) -> set[int]:
    toks: set[int] = set()
    for one, ref in found.references:
        name = stored_name(one.rt, one.code)
        if ref.url is not None:
            toks.add(tokens.url_token(name, ref.url))
            if ref.version:
                toks.add(tokens.url_token(name, f"{ref.url}|{ref.version}"))
        elif (
            ref.type and ref.id and not (one.code in columns.patient and (ref.type, ref.id) == mine)
        ):
            toks.add(tokens.reference_token(name, ref.type, ref.id))
    for one, system, value in found.reference_identifiers:
        name = stored_name(one.rt, one.code)
        toks.add(tokens.reference_identifier(name, system or "", value))
        toks.add(tokens.reference_identifier_any(name, value))
    return toks


def _dates(
    columns: Columns, found: Extracted
) -> tuple[list[tuple[datetime, datetime]], list[tuple[int, datetime, datetime]]]:
    main = [(low, high) for one, low, high in found.dates if one.code == columns.date]
    side = {
        (one.number, low, high)
        for one, low, high in found.dates
        if one.code != columns.date or len(main) > 1
    }
    return main, sorted(side)


def _strings(found: Extracted) -> list[tuple[int, str, str | None]]:
    rows = []
    for one, text in dict.fromkeys(found.strings):
        norm = fold(text)
        rows.append((one.number, norm, None if text == norm else text))
    return rows


def _numbers(found: Extracted) -> list[NumberRow]:
    rows = {(one.number, value, 0) for one, value in found.numbers}
    rows.update(
        (one.number, value, tokens.unit_token(*unit_parts(system, code, unit)))
        for one, value, _, system, code, unit in found.quantities
        if len(combined(one)) == 1
    )
    return sorted(rows)


def _units(found: Extracted) -> list[UnitRow]:
    units = {unit_parts(*unit) for _, _, _, *unit in found.quantities}
    return [(tokens.unit_token(*unit), *unit) for unit in units if unit[1]]


def _party(found: Extracted, codes: tuple[str, ...], only: str | None = None) -> PartyRef | None:
    named = [
        (ref.type, ref.id)
        for code in codes
        for one, ref in found.references
        if one.code == code and ref.type and ref.id and ref.url is None
    ]
    return next((party for party in named if only in (None, party[0])), None)
