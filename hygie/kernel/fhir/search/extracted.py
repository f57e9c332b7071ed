"""The shape of what search knows about one resource; the store turns it into columns and rows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from hygie.kernel.fhir.search.references import Ref
from hygie.kernel.fhir.search.registry import Parameter


class Extracted(msgspec.Struct, gc=False):
    """Every search value of one resource, as flat tuples that begin with their Parameter.

    Values repeat when the resource repeats them. Server-owned ``_id`` and ``_lastUpdated`` are not
    here: the store has them as columns.

    Attributes:
        present: bitmap of the parameters whose element is there (``:missing`` reads it), by
            ``Parameter.bit``.
        tokens: parameter, system or None, code or None. A boolean is ``true`` or ``false``; the
            system of a ``code`` element is implied, so it is None.
        typed_identifiers: parameter, type system or None, type code, value, for ``:of-type``.
        references: parameter and literal target; contained resources are left out.
        reference_identifiers: parameter, system or None, value of a logical reference, for
            ``:identifier``.
        strings: parameter and text as written; compare with ``fold``.
        dates: parameter, low included, high excluded, in UTC; open ends are ``dates.FIRST`` and
            ``dates.LAST``.
        numbers: parameter and value; a Range gives both ends.
        quantities: parameter, value, comparator, system, code, unit; a Range gives both ends.
        uris: parameter and uri as written, version included.
        positions: parameter, longitude, latitude in degrees.
        composites: parameter, then one tuple for each component, each what the component's own
            list would hold without its parameter: ``((system, code), (low, high))``.
    """

    present: int = 0
    tokens: list[tuple[Parameter, str | None, str | None]] = []
    typed_identifiers: list[tuple[Parameter, str | None, str, str]] = []
    references: list[tuple[Parameter, Ref]] = []
    reference_identifiers: list[tuple[Parameter, str | None, str]] = []
    strings: list[tuple[Parameter, str]] = []
    dates: list[tuple[Parameter, datetime, datetime]] = []
    numbers: list[tuple[Parameter, Decimal]] = []
    quantities: list[tuple[Parameter, Decimal, str | None, str | None, str | None, str | None]] = []
    uris: list[tuple[Parameter, str]] = []
    positions: list[tuple[Parameter, Decimal, Decimal]] = []
    composites: list[tuple[Parameter, tuple[tuple[Any, ...], ...]]] = []
