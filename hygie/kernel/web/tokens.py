"""Tokens of applications, given and taken back from a page or an endpoint: never kept in clear.

The kernel issues them, so that a request is answered by the table that revokes them; the domain
that signs applications in decides for whom and for what.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hygie.kernel.security import applications, tokens
from hygie.kernel.security.caller import Bearer, Caller
from hygie.kernel.security.limits import limit_of
from hygie.kernel.store.scoping import constraint
from hygie.kernel.web.bridge import ask, repository


def give(
    caller: Caller,
    *,
    client: str,
    scope: tuple[str, ...],
    patient: str,
    family: uuid.UUID,
    valid: timedelta,
) -> str:
    """Return a new token of an application for a caller; ``patient`` is an id or empty."""
    return ask(_give(caller, client, scope, patient=patient, family=family, valid=valid))


async def _give(
    caller: Caller,
    client: str,
    scope: tuple[str, ...],
    *,
    patient: str,
    family: uuid.UUID,
    valid: timedelta,
) -> str:
    records = repository()
    number = await records.party_number(f"Patient/{patient}") if patient else None
    limit = limit_of(client, scope, patient=number, constraint=constraint)
    async with records.database.connection() as connection:
        return await tokens.issue(
            connection,
            replace(caller, limit=limit),
            at=datetime.now(UTC),
            valid=valid,
            label=client,
            family=family,
        )


def check_scope(scope: tuple[str, ...]) -> None:
    """Refuse clinical scopes that the store could not hold.

    Raises:
        InvalidScope: a type that does not exist, or a constraint on no code.
    """
    limit_of("", scope, patient=None, constraint=constraint)


def facts_of(token: str) -> tokens.TokenFacts | None:
    """Return the facts of a valid token; None for one that is unknown, expired or revoked."""
    return ask(_facts(token))


async def _facts(token: str) -> tokens.TokenFacts | None:
    async with repository().database.connection() as connection:
        return await tokens.introspect(connection, Bearer.from_token(token))


def take_back(token: str) -> None:
    """Revoke one token."""
    ask(_take_back(token))


async def _take_back(token: str) -> None:
    async with repository().database.connection() as connection:
        await tokens.revoke(connection, Bearer.from_token(token))


def end_families(families: list[uuid.UUID]) -> None:
    """Revoke every token that came from these consents."""
    if families:
        ask(_end_families(families))


async def _end_families(families: list[uuid.UUID]) -> None:
    async with repository().database.connection() as connection:
        for family in families:
            await tokens.revoke_family(connection, family)


def end_application(client: str) -> None:
    """Forget an application and revoke all its tokens."""
    ask(_end_application(client))


async def _end_application(client: str) -> None:
    async with repository().database.connection() as connection:
        await applications.forget(connection, client)
        await tokens.revoke_client(connection, client)


def tell_engine(application: applications.Application) -> None:
    """Let the engine know an approved application."""
    ask(_tell(application))


async def _tell(application: applications.Application) -> None:
    async with repository().database.connection() as connection:
        await applications.save(connection, application)
