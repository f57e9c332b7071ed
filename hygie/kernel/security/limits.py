"""What the token of an application limits its user to, as one more condition of every statement.

The access rules decide first; a limit only takes away. Granular scopes become search tokens, so
that a constrained scope is a condition on the row like any other (SMART App Launch 2.2.0, "Scopes
for requesting FHIR resources").
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

from hygie.kernel.errors import Forbidden
from hygie.kernel.fhir.names import RESOURCE_TYPES, type_number
from hygie.kernel.security.scopes import EVERY_TYPE, InvalidScope, Scope, is_clinical, parse

Constraint = Callable[[str, str, str], int]
"""Gives the search token of a type, a parameter and one value of it."""
ANY_TYPE = 0
NOBODY = -1
"""The patient of a launch that chose none: no party has this number."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One scope as the store checks it.

    Attributes:
        permissions: letters of ``cruds``.
        rt: number of the type, ``ANY_TYPE`` for every one.
        launched: whether it reaches the patient of the launch only.
        tokens: search tokens that the row must all have.
    """

    permissions: frozenset[str]
    rt: int
    launched: bool
    tokens: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Limit:
    """What an application may do for its user.

    Attributes:
        client: id of the application.
        scope: the words of its scope, as they were granted.
        reaches: the clinical ones, as the store checks them.
        patient: party number of the patient of the launch, None where none was chosen.
    """

    client: str
    scope: tuple[str, ...] = ()
    reaches: tuple[Reach, ...] = ()
    patient: int | None = None

    def over(self, permissions: Collection[str], rt: int | None = None) -> list[Reach]:
        """Return the reaches with one of these permissions that may hold for a type."""
        return [
            one
            for one in self.reaches
            if one.permissions & set(permissions) and (rt is None or one.rt in (ANY_TYPE, rt))
        ]

    def reaches_new(
        self, permission: str, rt: str, patients: Collection[int], tokens: frozenset[int]
    ) -> bool:
        """Tell whether new content of a type, with these patients and tokens, is within reach.

        Of content that names several patients, each must be the one of the launch.
        """
        return any(
            one.tokens <= tokens and (not one.launched or set(patients) <= {self.patient})
            for one in self.over(permission, type_number(rt))
        )

    def reaches_gone(self, permission: str, rt: str, patient: int | None) -> bool:
        """Tell whether what was deleted is within reach: its search tokens are kept no longer."""
        return any(
            not one.tokens and (not one.launched or patient in (None, self.patient))
            for one in self.over(permission, type_number(rt))
        )

    def check(self, permission: str, rt: str | None = None) -> None:
        """Refuse what no scope of the token can ever allow.

        Raises:
            Forbidden: with the scope that would be needed.
        """
        if not self.over(permission, type_number(rt) if rt else None):
            raise Forbidden(
                f"Your token has no scope for this; ask for user/{rt or EVERY_TYPE}.{permission} "
                f"or patient/{rt or EVERY_TYPE}.{permission}."
            )

    def check_named(self, permission: str, rt: str) -> None:
        """Refuse what is asked of a person with a proof, to who has it among everything.

        Who may open a record is decided on the pages, after a fresh proof; an application decides
        it where the person let it do so by name, and never by ``*``.

        Raises:
            Forbidden: with the scope that would be needed.
        """
        if not any(one.rt == type_number(rt) for one in self.over(permission)):
            raise Forbidden(
                "Who may open a record is not among *: your token needs the scope "
                f"user/{rt}.{permission} or patient/{rt}.{permission}, by that name."
            )

    def check_own(self, permission: str, rt: str, party: int) -> None:
        """Refuse what a scope allows of the patient of the launch, where that is not the caller.

        For what is served from elsewhere than the store, and for finding strangers.

        Raises:
            Forbidden: with the scope that would be needed.
        """
        self.check(permission, rt)
        reaches = self.over(permission, type_number(rt))
        if all(one.tokens or (one.launched and self.patient != party) for one in reaches):
            raise Forbidden(f"Your token needs the scope user/{rt}.{permission} for this.")

    def launches(self, permission: str, rt: str) -> bool:
        """Tell whether every scope that allows this is bound to the patient of the launch."""
        return all(one.launched or one.tokens for one in self.over(permission, type_number(rt)))

    def check_whole(self, permissions: str = "rs") -> None:
        """Refuse what looks over every type at once to a token that does not reach them all.

        Raises:
            Forbidden: the scopes leave out types, patients or values.
        """
        whole = [one for one in self.reaches if one.rt == ANY_TYPE and not one.tokens]
        if not any(one.permissions >= set(permissions) for one in whole):
            raise Forbidden(
                f"Your token must have the scope user/*.{permissions} or patient/*.{permissions}."
            )


def unconstrained(rt: str, name: str, value: str) -> int:
    """Refuse constraints: where nothing can tell a search token.

    Raises:
        InvalidScope: always.
    """
    raise InvalidScope(f"{rt}?{name}={value}: granular scopes are not understood here.")


def limit_of(
    client: str, words: Iterable[str], *, patient: int | None, constraint: Constraint
) -> Limit:
    """Return the limit of a token; words that name no data (``openid``...) reach nothing.

    Raises:
        InvalidScope: a scope is not understood.
    """
    scope = tuple(words)
    reaches = tuple(
        reach for one in scope if is_clinical(one) for reach in _reaches(one, constraint)
    )
    return Limit(client, scope, reaches, patient)


@lru_cache(maxsize=4096)
def _reaches(text: str, constraint: Constraint) -> tuple[Reach, ...]:
    """Return a scope as reaches: one for each choice among values separated by commas."""
    scope = parse(text)
    if scope.rt != EVERY_TYPE and scope.rt not in RESOURCE_TYPES:
        raise InvalidScope(f"{text}: FHIR R4 has no type {scope.rt}.")
    rt = ANY_TYPE if scope.rt == EVERY_TYPE else type_number(scope.rt)
    return tuple(
        Reach(scope.permissions, rt, scope.context == "patient", tokens)
        for tokens in _choices(scope, constraint)
    )


MOST_CHOICES = 64
"""Combinations of values that one scope may leave to choose among: each is a reach of its own."""


def _choices(scope: Scope, constraint: Constraint) -> list[frozenset[int]]:
    if prod(len(listed.split(",")) for _, listed in scope.query) > MOST_CHOICES:
        raise InvalidScope(
            f"A scope leaves at most {MOST_CHOICES} combinations of values: {scope.rt}."
        )
    values = [
        [constraint(scope.rt, name, value) for value in listed.split(",")]
        for name, listed in sorted(scope.query)
    ]
    return [frozenset(chosen) for chosen in product(*values)]


LIMIT_COLUMNS = (("types", "smallint[]"), ("patients", "integer[]"), ("sets", "text[]"))
"""Columns of the limits of callers that are rows of a query: three arrays, one item a reach."""


@dataclass(frozen=True, slots=True)
class LimitSql:
    """A limit in SQL: three arrays, bound for one caller or columns where callers are rows."""

    types: str
    patients: str
    sets: str

    def condition(self, row: str, *, tokens: str, alone: bool = False) -> str:
        """Return the condition on alias ``row``; ``tokens`` is the array of its search tokens.

        A row of no patient is left to the access rules: only a directory is open there. With
        ``alone`` the patient of a launch must be the only one: what is also somebody else's may be
        read for one of them, and changed for none.
        """
        only = f"AND (f.pat IS NULL OR {row}.others IS NULL) " if alone else ""
        return (
            f"EXISTS (SELECT 1 FROM unnest({self.types}, {self.patients}, {self.sets}) "
            f"AS f (rt, pat, tokens) WHERE (f.rt = {ANY_TYPE} OR f.rt = {row}.rt) "
            f"AND (f.pat IS NULL OR {row}.pat IS NULL OR {row}.pat = f.pat "
            f"OR {row}.others @> ARRAY[f.pat]) {only}"
            f"AND (f.tokens IS NULL OR {tokens} @> f.tokens::bigint[]))"
        )


def limit_arrays(
    limit: Limit, permissions: Collection[str]
) -> tuple[list[int], list[int | None], list[str | None]]:
    """Return the three arrays of ``LIMIT_COLUMNS`` for whoever needs one of the permissions."""
    reaches = limit.over(permissions)
    bound = NOBODY if limit.patient is None else limit.patient
    return (
        [one.rt for one in reaches],
        [bound if one.launched else None for one in reaches],
        [_literal(one.tokens) if one.tokens else None for one in reaches],
    )


def limit_columns(
    limits: Sequence[Limit | None], permissions: Sequence[Collection[str]]
) -> list[list[str | None]]:
    """Return the limits of several callers as array literals, None for who has none."""
    rows = [
        None if limit is None else limit_arrays(limit, needed)
        for limit, needed in zip(limits, permissions, strict=True)
    ]
    return [
        [None if row is None else _literal(row[place]) for row in rows]
        for place in range(len(LIMIT_COLUMNS))
    ]


def _literal(values: Iterable[int | str | None]) -> str:
    """Return an array literal; texts are literals of numbers, quoted for their commas."""
    said = (
        "NULL" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
        for value in values
    )
    return f"{{{','.join(said)}}}"
