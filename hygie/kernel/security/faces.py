"""The SQL faces of a policy: the predicate of a statement, and the name of the rule that permits.

The relations of caller and patient are read once for a row, by one probe of ``care_relation``, and
only where the rules that read none of them have not decided already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from hygie.kernel.security.algebra import Live, Policy
from hygie.kernel.security.clauses import Columns, conjunction
from hygie.kernel.security.driving import Halves, halves
from hygie.kernel.security.relations import Relation


@dataclass(frozen=True, slots=True)
class CallerSql:
    """A caller in SQL: bound parameters for one, columns where callers are rows of the query.

    Attributes:
        party: the caller's party number.
        own: array of 0 and the parties whose relations are the caller's own.
        members: array of those and of the professionals under whom the caller acts; then the
            structures of these, and ``-1 - n`` for each: of structure ``n`` a block alone counts.
        matters: bytes, one bit for each matter the caller's roles may read.
        rules: number whose bit ``n`` says that rule ``n`` may still permit; empty for one caller,
            whose other rules are left out of the text.
    """

    party: str
    own: str
    members: str
    matters: str
    rules: str = ""


ASKED = CallerSql("a.party", "a.own", "a.members", "a.matters", "a.rules")
"""Callers that are rows ``a`` of the query (``asked_columns``)."""


@dataclass(frozen=True, slots=True)
class Face:
    """A policy about to be printed for one row alias."""

    policy: Policy
    live: Sequence[Live]
    row: str
    caller: CallerSql
    wide: bool = False
    """Whether rules are printed for rows of many patients (``driving``)."""

    def predicate(self) -> str:
        """Return the condition that the rules permit the row, never NULL."""
        mine = self._permits(f"{self.row}.pat")
        if mine in ("TRUE", "FALSE"):
            return mine
        theirs = self._permits("o.pat")
        others = f"SELECT 1 FROM unnest({self.row}.others) AS o (pat)"
        if self.policy.every:
            return (
                f"({mine} AND ({self.row}.others IS NULL OR NOT EXISTS "
                f"({others} WHERE NOT {theirs})))"
            )
        return f"({mine} OR ({self.row}.others IS NOT NULL AND EXISTS ({others} WHERE {theirs})))"

    def rule_name(self) -> str:
        """Return the expression that names the permitting rule, NULL where none does."""
        mine = self._names(f"{self.row}.pat")
        if not self.live:
            return "NULL::text"
        if self.policy.every:
            return f"CASE WHEN {self.predicate()} THEN {mine} END"
        return (
            f"coalesce({mine}, CASE WHEN {self.row}.others IS NOT NULL THEN "
            f"(SELECT o.name FROM (SELECT {self._names('p.pat')} AS name, p.n "
            f"FROM unnest({self.row}.others) WITH ORDINALITY AS p (pat, n)) o "
            "WHERE o.name IS NOT NULL ORDER BY o.n LIMIT 1) END)"
        )

    def _permits(self, pat: str) -> str:
        first, rest = self._halves()
        branches = [self._holds(one, pat) for one in first]
        if "TRUE" in branches:
            return "TRUE"
        if self.wide and pat == f"{self.row}.pat":
            driven = {one.place: parts for one in rest if (parts := halves(one)) is not None}
            branches += [self._in_set(parts, pat) for parts in driven.values()]
            rest = [one for one in rest if one.place not in driven]
        if rest:
            inner = " OR ".join(f"({self._holds(one, pat)})" for one in rest)
            branches.append(f"(SELECT {inner} FROM {self._relations(pat)} g)")
        return f"({' OR '.join(f'({one})' for one in branches)})" if branches else "FALSE"

    def _in_set(self, parts: Halves, pat: str) -> str:
        """Return a rule as the set of patients whose relations it wants, and what else it asks.

        The first of ``members`` stands for what holds of records: it leads to everybody.
        """
        columns = Columns(self.row, pat, "g.bits", self.caller.party, self.caller.matters)
        kinds = ",".join(map(str, sorted(parts.kinds)))
        chosen = (
            f"{pat} IN (SELECT d.pat FROM care_relation d WHERE d.member = ANY "
            f"(({self.caller.members})[2:]) AND d.kind IN ({kinds}) AND now() >= d.starts "
            f"AND now() < d.ends AND (SELECT {conjunction(parts.relations, columns)} "
            f"FROM {self._relations('d.pat')} g))"
        )
        return " AND ".join(
            [*(one.print(columns) for one in parts.rest), f"coalesce({chosen}, FALSE)"]
        )

    def _names(self, pat: str) -> str:
        first, rest = self._halves()
        cases = self._cases(first, pat)
        if rest:
            inner = f"CASE {self._cases(rest, pat)} END"
            otherwise = f"(SELECT {inner} FROM {self._relations(pat)} g)"
            return f"CASE {cases} ELSE {otherwise} END" if cases else otherwise
        return f"CASE {cases} END" if cases else "NULL::text"

    def _cases(self, rules: Sequence[Live], pat: str) -> str:
        return " ".join(f"WHEN {self._holds(one, pat)} THEN '{one.rule.name}'" for one in rules)

    def _holds(self, one: Live, pat: str) -> str:
        columns = Columns(self.row, pat, "g.bits", self.caller.party, self.caller.matters)
        text = conjunction(one.clauses, columns)
        if not self.caller.rules:
            return text
        alive = f"({self.caller.rules} & {1 << one.place}) <> 0"
        return alive if text == "TRUE" else f"{alive} AND {text}"

    def _halves(self) -> tuple[list[Live], list[Live]]:
        """Return the leading rules that need no relation, and the others, in their order."""
        first = list(takewhile(lambda one: not needs_relations(one), self.live))
        return first, list(self.live[len(first) :])

    def _relations(self, pat: str) -> str:
        return (
            "(SELECT coalesce(bit_or(CASE WHEN f.member = ANY "
            f"({self.caller.own}) THEN 1::bigint << f.kind ELSE 1::bigint << (f.kind + 32) END), 0)"
            f" AS bits FROM care_relation f WHERE f.pat = {pat} AND f.member = ANY "
            f"({self.caller.members}) AND (f.kind = {int(Relation.BLOCKED)} "
            f"OR -1 - f.member <> ALL ({self.caller.members})) "
            "AND now() >= f.starts AND now() < f.ends)"
        )


def needs_relations(one: Live) -> bool:
    """Tell whether a rule reads the relations of caller and patient."""
    return any(atom.needs_relations for clause in one.clauses for atom in clause.atoms())


def every_rule(policy: Policy) -> list[Live]:
    """Return all rules as they are printed for callers that are rows: whose stance is a column."""
    return [
        Live(
            place,
            rule,
            tuple(one for one in rule.clauses if not all(atom.caller_only for atom in one.atoms())),
        )
        for place, rule in enumerate(policy.rules)
    ]
