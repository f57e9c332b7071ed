"""Questions about tokens, asked together: one round trip for those that wait at the same moment.

Nothing is kept between two groups: a token that was revoked is inactive in the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hygie.kernel.database.connection import Database
from hygie.kernel.errors import Unauthenticated
from hygie.kernel.security.caller import Access, Bearer, Caller
from hygie.kernel.security.gate import Gate
from hygie.kernel.security.tokens import TokenFacts, introspect_all
from hygie.kernel.store.batch import Batch


@dataclass(frozen=True, slots=True)
class Question:
    """One question: about which token, and who asks (None where that was proven otherwise)."""

    asked: Bearer
    by: Access | None = None


Answer = tuple[Caller | None, TokenFacts | None]
"""Who asks, None where that was proven otherwise; the facts, None for a token that is inactive."""


class Introspector:
    """Answers questions about tokens."""

    def __init__(self, database: Database, gate: Gate) -> None:
        self._database = database
        self._gate = gate
        self._questions: Batch[Question, Answer] = Batch(self._run)

    async def ask(self, question: Question) -> Answer:
        """Return the answer.

        Raises:
            Unauthenticated: the token of who asks is unknown, expired or revoked.
        """
        return await self._questions.submit(question)

    async def _run(self, questions: Sequence[Question]) -> list[Answer | BaseException]:
        async with self._database.connection() as connection:
            askers = [one.by for one in questions if one.by is not None]
            callers = iter(await self._gate.callers(connection, askers) if askers else ())
            facts = await introspect_all(connection, [one.asked for one in questions])
        found: list[Answer | BaseException] = []
        for question in questions:
            caller = next(callers) if question.by is not None else None
            if isinstance(caller, Unauthenticated):
                found.append(caller)
            else:
                found.append((caller, facts.get(question.asked.digest)))
        return found
