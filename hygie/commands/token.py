"""``hygie token``: a bearer token for the local operator, who may read the data folder anyway."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from hygie.commands.options import command, positive, settings_of
from hygie.kernel.database import roles, server
from hygie.kernel.database.connection import Database
from hygie.kernel.database.session import connect
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.security.caller import SYSTEM, Caller, Kind, Right
from hygie.kernel.security.tokens import issue
from hygie.kernel.store.parties import Parties

if TYPE_CHECKING:
    from hygie.commands.options import Commands

# Codes of http://terminology.hl7.org/CodeSystem/v3-ActReason.
PURPOSE = {Kind.PATIENT: "PATRQT", Kind.PROFESSIONAL: "TREAT", Kind.RESEARCHER: "HRESCH"}
DEFAULT_HOURS = 12


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(commands, "token", about="Print a bearer token for the API.", run=run)
    parser.add_argument(
        "--as",
        dest="login",
        required=True,
        metavar="USER",
        help="login of an account, or the word system",
    )
    parser.add_argument(
        "--hours", type=positive, default=DEFAULT_HOURS, metavar="N", help="how long it is valid"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the token; whether Hygie runs or not.

    Raises:
        InvalidRequest: no active account has this login, or the data folder is another one.
    """
    settings, valid = settings_of(arguments), timedelta(hours=arguments.hours)
    server.check_is_installed(settings)
    with server.running(settings) as ready:
        caller = SYSTEM if arguments.login == "system" else find_account(ready.dsn, arguments.login)
        sys.stdout.write(f"{asyncio.run(make_token(ready.dsn, caller, valid=valid))}\n")
    return 0


async def make_token(dsn: str, caller: Caller, *, valid: timedelta) -> str:
    """Store a token for a caller whose party number is still to be found, and return it."""
    database = await Database.open(dsn, size=1)
    try:
        async with database.connection() as connection:
            resource_type, _, rid = caller.reference.partition("/")
            if resource_type in RESOURCE_TYPES:
                numbers = await Parties().ensure(connection, [(resource_type, rid)])
                caller = replace(caller, party=numbers[resource_type, rid])
            return await issue(
                connection, caller, at=datetime.now(UTC), valid=valid, label="hygie token"
            )
    finally:
        await database.close()


def find_account(dsn: str, login: str) -> Caller:
    """Return who an account is; its party number is still to be found.

    Read from the table itself: starting Django for one row would take longer than the rest.

    Raises:
        InvalidRequest: no active account has this login.
    """
    try:
        with connect(dsn, role=roles.PORTAL) as session:
            row = session.execute(
                "SELECT id, kind, fhir_reference, rights FROM portal.sign_in_user"
                " WHERE lower(username) = lower(%s) AND is_active",
                (login,),
            ).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    if row is None:
        raise InvalidRequest(
            f"No active account has the login {login!r}: give one that exists, or --as system."
        )
    number, kind_name, reference, rights = row
    kind = Kind[str(kind_name).upper()]
    return Caller(
        kind,
        0,
        str(reference) or f"account/{number}",
        purpose=PURPOSE.get(kind, "HOPERAT"),
        rights=frozenset(Right(right) for right in rights),
    )
