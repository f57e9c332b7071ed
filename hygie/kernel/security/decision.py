"""A decision for one caller, without which no query plan can be rendered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hygie.kernel.errors import Forbidden
from hygie.kernel.security.algebra import Policy, stance_of
from hygie.kernel.security.atoms import IN_DIRECTORY
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.driving import is_driven
from hygie.kernel.security.faces import ASKED, CallerSql, Face, every_rule
from hygie.kernel.security.limits import LimitSql, limit_arrays
from hygie.kernel.security.relations import OF_THE_RECORD

Bind = Callable[[object], str]
"""Binds a value to the query being printed and returns its placeholder, such as ``$3``."""

_MARKS = CallerSql("<party>", "<own>", "<members>", "<matters>")


@dataclass(frozen=True, slots=True)
class Decision:
    """What one caller may see, as every statement of a request carries it."""

    caller: Caller
    policy: Policy
    wide: bool = False
    """Whether statements look over the rows of many patients of the caller."""
    permissions: str = "s"
    """What the scopes of an application must allow, one of these letters of ``cruds``."""

    @property
    def is_driven(self) -> bool:
        """Tell whether the caller's patients hold all that the rules may permit."""
        return is_driven(self.policy.live(self.caller))

    def predicate(self, row: str, bind: Bind, *, tokens: str = "") -> str:
        """Return the SQL predicate on alias ``row``; it goes before any LIMIT.

        ``tokens`` is the expression of its search tokens where the alias has no column of them.
        """
        permitted = self._bound(self._printed(row, "predicate"), bind)
        limit = self.caller.limit
        if limit is None:
            return permitted
        types, patients, sets = limit_arrays(limit, self.permissions)
        allowed = LimitSql(
            f"{bind(types)}::smallint[]", f"{bind(patients)}::integer[]", f"{bind(sets)}::text[]"
        ).condition(row, tokens=tokens or searched(row))
        return f"({permitted} AND {allowed})"

    def rule_name(self, row: str, bind: Bind) -> str:
        """Return the SQL expression that names the rule which permits the row."""
        return self._bound(self._printed(row, "rule_name"), bind)

    def _printed(self, row: str, what: Literal["predicate", "rule_name"]) -> str:
        key = (what, row, self.wide, *stance_of(self.caller))
        found = self.policy.printed.get(key)
        if found is None:
            live = self.policy.live(self.caller)
            face = Face(self.policy, live, row, _MARKS, wide=self.wide)
            found = face.predicate() if what == "predicate" else face.rule_name()
            self.policy.printed[key] = found
        return found

    def _bound(self, text: str, bind: Bind) -> str:
        """Bind what the text uses: PostgreSQL refuses a placeholder that stands nowhere."""
        values: tuple[tuple[str, object, str], ...] = (
            (_MARKS.party, self.caller.party, "integer"),
            (_MARKS.own, own_parties(self.caller), "integer[]"),
            (_MARKS.members, members(self.caller), "integer[]"),
            (_MARKS.matters, self.caller.matters, "bytea"),
        )
        for mark, value, kind in values:
            if mark in text:
                text = text.replace(mark, f"{bind(value)}::{kind}")
        return text


def decide(
    caller: Caller, *, directory: bool, policy: Policy, rt: str | None = None, permission: str = "s"
) -> Decision:
    """Return the decision for requests on one type of resource, on every one where it is None.

    ``directory`` tells whether the type holds no patient (Organization, ValueSet...).

    Raises:
        Forbidden: no rule can ever permit this caller anything of this type, or no scope of its
            application.
    """
    if caller.limit is not None:
        caller.limit.check(permission, rt)
    live = policy.live(caller)
    if not any(directory or IN_DIRECTORY not in one.clauses for one in live):
        raise Forbidden("Your account gives no right to do this on health records.")
    return Decision(caller, policy, permissions=permission)


def own_parties(caller: Caller) -> list[int]:
    """Return 0, for what holds of the record, and the parties whose relations are the caller's.

    The structures that an exercise sets aside are among them: ``members`` lets their blocks count.
    """
    return [OF_THE_RECORD, *caller.own, *sorted(caller.aside)]


def members(caller: Caller) -> list[int]:
    """Return those and the professionals under whom the caller acts, and where these practise.

    The latter come twice, once as a number below zero (``faces``): of them a block alone counts.
    """
    known = own_parties(caller)
    shadows = sorted(caller.shadows - {*known, *caller.principals})
    blocking = [*sorted(caller.aside), *shadows]
    return [*known, *sorted(caller.principals), *shadows, *(-1 - one for one in blocking)]


def grouped_rule_name(policy: Policy, row: str, *, rules: str = ASKED.rules) -> str:
    """Return the expression that names the permitting rule where callers are rows ``a``.

    ``rules`` is the column of the rules that may still permit under this policy.
    """
    return Face(policy, every_rule(policy), row, replace(ASKED, rules=rules)).rule_name()


def searched(row: str) -> str:
    """Return every search token of a row of ``resource``, as an expression."""
    return f"({row}.toks || {row}.frequent || {row}.code)"


def within_limits(rule: str, row: str, *, tokens: str) -> str:
    """Return a rule's name, NULL where the scopes of caller ``a`` do not reach the row.

    It is asked only of statements in which an application stands (``LIMIT_COLUMNS``).
    """
    allowed = LimitSql("a.types", "a.patients", "a.sets").condition(row, tokens=tokens)
    return f"CASE WHEN a.types IS NULL OR {allowed} THEN {rule} END"


CALLER_COLUMNS = (
    ("party", "integer"),
    ("own", "integer[]"),
    ("members", "integer[]"),
    ("matters", "bytea"),
)
"""Columns of callers that are rows of a query, with their types; ``rules`` stands beside them."""


def caller_columns(callers: Sequence[Caller]) -> list[list[object]]:
    """Return the callers in the order of ``CALLER_COLUMNS``; arrays as literals."""
    return [
        [caller.party for caller in callers],
        [_literal(own_parties(caller)) for caller in callers],
        [_literal(members(caller)) for caller in callers],
        [caller.matters for caller in callers],
    ]


def live_rules(policy: Policy, callers: Sequence[Caller]) -> list[int]:
    """Return, for each caller, the number whose bits are the rules that may still permit."""
    return [sum(1 << one.place for one in policy.live(caller)) for caller in callers]


def _literal(numbers: Sequence[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"
