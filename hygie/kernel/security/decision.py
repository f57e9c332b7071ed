"""A decision for one caller, without which no query plan can be rendered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hygie.kernel.errors import Forbidden
from hygie.kernel.security.algebra import Columns, Policy
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.rules import DIRECTORY, READ

Bind = Callable[[object], str]
"""Binds a value to the query being printed and returns its placeholder, such as ``$3``."""


_PARTY = "<party>"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one caller may see, as every statement of a request carries it."""

    caller: Caller
    policy: Policy

    def predicate(self, row: str, bind: Bind) -> str:
        """Return the SQL predicate on alias ``row``; it goes before any LIMIT."""
        if self.caller.kind == Kind.SYSTEM:
            return "TRUE"
        text = self.policy.predicate_for(self.caller, Columns(row, "", _PARTY))
        if _PARTY not in text:
            # PostgreSQL refuses a placeholder that the statement does not use.
            return text
        return text.replace(_PARTY, f"{bind(self.caller.party)}::integer")

    def rule_name(self, row: str, bind: Bind) -> str:
        """Return the SQL expression that names the rule which permits the row."""
        kind = f"{bind(int(self.caller.kind))}::smallint"
        party = f"{bind(self.caller.party)}::integer"
        return self.policy.rule_name(Columns(row, kind, party))


def decide(caller: Caller, *, directory: bool, policy: Policy = READ) -> Decision:
    """Return the decision for requests on one type of resource.

    ``directory`` tells whether the type holds no patient (Organization, ValueSet...).

    Raises:
        Forbidden: no rule can ever permit this caller anything of this type.
    """
    rules = [rule for rule, _ in policy.rules_for(caller) if directory or rule is not DIRECTORY]
    if not rules:
        raise Forbidden("Your account gives no right to do this on health records.")
    return Decision(caller, policy)
