"""From what a request brings to a caller the rules can judge: token, roles, structures.

Everything is read from the database at each request, in the statement before the answer's own, and
kept nowhere: a revoked token, an ended post or an ended delegation is refused from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from hygie.kernel.errors import Unauthenticated
from hygie.kernel.security.caller import (
    NO_MATTER,
    Access,
    Bearer,
    Caller,
    Exercise,
    Kind,
    Right,
)
from hygie.kernel.security.decision import Decision, decide
from hygie.kernel.security.limits import Constraint, limit_of, unconstrained
from hygie.kernel.security.policies import Policies
from hygie.kernel.security.relations import Relation
from hygie.kernel.security.scopes import InvalidScope

if TYPE_CHECKING:
    from asyncpg import Connection, Record

REVIEWER = -1
"""What the belt knows a reviewer of emergency accesses by: no party has this number."""
_PRACTICE = """
CASE WHEN {who} IS NOT NULL THEN
  ARRAY (SELECT DISTINCT p.role FROM practice p
         WHERE p.member = {who} AND now() >= p.starts AND now() < p.ends) END AS roles,
CASE WHEN {who} IS NOT NULL THEN
  ARRAY (SELECT DISTINCT p.structure FROM practice p WHERE p.member = {who}
         AND p.structure IS NOT NULL AND now() >= p.starts AND now() < p.ends) END AS structures,
CASE WHEN {who} IS NOT NULL THEN
  ARRAY (SELECT DISTINCT f.pat FROM care_relation f WHERE f.member = {who}
         AND f.kind = {acts_under} AND now() >= f.starts AND now() < f.ends) END AS principals,
CASE WHEN {who} IS NOT NULL THEN
  ARRAY (SELECT DISTINCT p.structure FROM care_relation f JOIN practice p ON p.member = f.pat
         WHERE f.member = {who} AND f.kind = {acts_under} AND now() >= f.starts AND now() < f.ends
         AND p.structure IS NOT NULL AND now() >= p.starts AND now() < p.ends) END AS shadows
"""
_LOOK_UP = f"""
SELECT t.digest, t.kind, t.party, t.reference, t.purpose, t.rights, t.level,
  t.client, t.scope, t.patient, t.exercise_role, t.exercise_structure,
  {_PRACTICE.format(who="w.party", acts_under=int(Relation.ACTS_UNDER))}
FROM access_token t
CROSS JOIN LATERAL
  (SELECT CASE WHEN t.kind = {int(Kind.PROFESSIONAL)} THEN t.party END AS party) w
WHERE t.digest = ANY ($1::bytea[]) AND t.revoked IS NULL AND t.expires > now()
"""
_PRACTISED = f"""
SELECT w.party, {_PRACTICE.format(who="w.party", acts_under=int(Relation.ACTS_UNDER))}
FROM unnest($1::integer[]) AS w (party)
"""


@dataclass(frozen=True, slots=True)
class Gate:
    """Knows who asks, and takes the decision every statement carries.

    Attributes:
        policies: the rules of this installation.
        today: the day by which the matrix is read.
        constraint: the search token of a constraint that a scope sets.
    """

    policies: Policies
    today: Callable[[], date]
    constraint: Constraint = unconstrained

    async def caller(self, connection: Connection, access: Access) -> Caller:
        """Return the caller of one access.

        Raises:
            Unauthenticated: the token is unknown, expired or revoked.
        """
        (found,) = await self.callers(connection, [access])
        if isinstance(found, Unauthenticated):
            raise found
        return found

    async def callers(
        self, connection: Connection, accesses: Sequence[Access]
    ) -> list[Caller | Unauthenticated]:
        """Return, for each access, the caller or the refusal of its token."""
        tokens = {one.digest for one in accesses if isinstance(one, Bearer)}
        people = {
            one.party
            for one in accesses
            if isinstance(one, Caller) and one.kind == Kind.PROFESSIONAL and one.party
        }
        known = {
            row["digest"]: self._known(row)
            for row in (await connection.fetch(_LOOK_UP, list(tokens)) if tokens else ())
        }
        practised = {
            row["party"]: row
            for row in (await connection.fetch(_PRACTISED, list(people)) if people else ())
        }
        return [
            known.get(one.digest) or _unknown()
            if isinstance(one, Bearer)
            else self._complete(one, practised.get(one.party))
            for one in accesses
        ]

    def decide(
        self, caller: Caller, *, directory: bool, rt: str | None = None, permission: str = "s"
    ) -> Decision:
        """Return the decision for reading resources of one type, of every one where it is None.

        Raises:
            Forbidden: no rule can ever permit this caller anything of this type, or no scope of
                its application.
        """
        return decide(
            caller, directory=directory, policy=self.policies.read, rt=rt, permission=permission
        )

    def _known(self, row: Record) -> Caller | Unauthenticated:
        try:
            return self._complete(self._bearer_of(row), row)
        except InvalidScope:
            # One token of words that are understood no more fails alone, not the group it is in.
            return Unauthenticated("The scope of your token is not understood; ask for a new one.")

    def _bearer_of(self, row: Record) -> Caller:
        limit, exercise = None, None
        if row["exercise_role"] is not None:
            exercise = Exercise(row["exercise_role"], row["exercise_structure"])
        if row["scope"] is not None:
            limit = limit_of(
                row["client"], row["scope"], patient=row["patient"], constraint=self.constraint
            )
        return Caller(
            Kind(row["kind"]),
            row["party"],
            row["reference"],
            purpose=row["purpose"],
            rights=frozenset(Right(right) for right in row["rights"]),
            level=row["level"],
            exercise=exercise,
            limit=limit,
        )

    def _complete(self, caller: Caller, row: Record | None) -> Caller:
        if caller.kind == Kind.JOB:
            roles: Collection[str] = [caller.reference.replace("/", ":", 1)]
        elif caller.kind == Kind.PROFESSIONAL and row is not None:
            roles = row["roles"]
        elif not (
            caller.roles
            or caller.structures
            or caller.aside
            or caller.principals
            or caller.duties
            or any(caller.matters)
        ):
            return caller
        else:
            return replace(
                caller,
                roles=frozenset(),
                structures=frozenset(),
                principals=frozenset(),
                shadows=frozenset(),
                aside=frozenset(),
                matters=NO_MATTER,
                duties=frozenset(),
            )
        structures = frozenset(row["structures"] if row else ())
        kept = structures
        if caller.exercise is not None:
            roles = [role for role in roles if role == caller.exercise.role]
            kept = structures & {caller.exercise.structure}
        today = self.today()
        return replace(
            caller,
            roles=frozenset(roles),
            structures=kept,
            aside=structures - kept,
            principals=frozenset(row["principals"] if row else ()),
            shadows=frozenset(row["shadows"] if row else ()),
            matters=self.policies.matrix.readable(roles, today),
            duties=self.policies.matrix.duties(roles, today),
        )


def _unknown() -> Unauthenticated:
    return Unauthenticated("The bearer token is unknown, expired or revoked; ask for a new one.")


def parties(callers: Sequence[Caller]) -> tuple[bool, list[int]]:
    """Return what the belt needs: whether the operator or a job is among them, and all parties."""
    system = any(caller.kind in (Kind.SYSTEM, Kind.JOB) for caller in callers)
    members = {
        party
        for caller in callers
        for party in (caller.party, *caller.structures, *caller.principals)
        if party
    }
    if any(Right.REVIEW in caller.rights for caller in callers):
        members.add(REVIEWER)
    return system, sorted(members)
