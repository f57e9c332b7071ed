"""``hygie account``: open, change and close the accounts that people sign in with."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from typing import TYPE_CHECKING

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.domains.sign_in.model import Kind
from hygie.kernel.database import roles, server
from hygie.kernel.database.session import connect
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.security.caller import Right
from hygie.kernel.security.tokens import REVOKE_ALL
from hygie.kernel.web import bridge, portal
from hygie.supervisor.supervisor import prepare_pages_apart

if TYPE_CHECKING:
    from hygie.commands.options import Commands
    from hygie.kernel.platform import Platform

OPEN, CLOSE, FORGET = "open", "close", "forget-factors"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "account", about="Open or close an account, or let it enrol anew.", run=run
    )
    parser.add_argument("action", choices=(OPEN, CLOSE, FORGET), help="open makes or changes it")
    parser.add_argument("login", help="what the person types to sign in")
    parser.add_argument("--kind", choices=[kind.value for kind in Kind], help="which portal")
    parser.add_argument("--name", default="", help="the name that is shown")
    parser.add_argument(
        "--reference", default="", metavar="Type/id", help="who they are in the record"
    )
    parser.add_argument("--email", default="", help="another way to name the account")
    parser.add_argument(
        "--right",
        action="append",
        default=[],
        choices=[right.value for right in Right],
        help="a right of the account; may be repeated",
    )
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )


def run(arguments: argparse.Namespace) -> int:
    """Open or close the account, whether Hygie runs or not.

    Raises:
        InvalidRequest: the account cannot be made like this, or there is none to close.
    """
    settings = settings_of(arguments)
    password = _password(arguments) if arguments.action == OPEN else ""
    with server.running(settings) as ready:
        prepare_pages_apart(settings)
        platform = compose(settings)
        portal.configure(platform, dsn=server.dsn(settings))
        try:
            if arguments.action == CLOSE:
                done = _close(arguments, ready.dsn)
            elif arguments.action == FORGET:
                done = _forget(arguments, platform)
            else:
                done = _open(arguments, password)
        finally:
            portal.close()
    sys.stdout.write(f"{done}\n")
    return 0


def _open(arguments: argparse.Namespace, password: str) -> str:
    # Django's models can be imported once Django is configured.
    from hygie.domains.sign_in.service import NewAccount, open_accounts  # noqa: PLC0415

    account = NewAccount(
        arguments.login,
        arguments.name or arguments.login,
        Kind(arguments.kind),
        reference=arguments.reference,
        email=arguments.email,
        rights=tuple(arguments.right),
    )
    new = open_accounts([account], password=password)
    return f"{arguments.login} was {'opened' if new else 'changed'}."


def _close(arguments: argparse.Namespace, dsn: str) -> str:
    from hygie.domains.sign_in.service import close_account  # noqa: PLC0415  as above

    reference = close_account(arguments.login)
    if reference is None:
        raise InvalidRequest(f"There is no account {arguments.login!r}.")
    with connect(dsn, role=roles.APP) as session:
        tokens = session.execute(REVOKE_ALL, (reference,)).rowcount
    return f"{arguments.login} can no longer sign in; tokens revoked: {tokens}."


def _forget(arguments: argparse.Namespace, platform: Platform) -> str:
    from hygie.domains.sign_in.service import forget_factors  # noqa: PLC0415  as above

    # Notices are sent as the settings say; no loop is run for that.
    bridge.install(bridge.Bridge(asyncio.new_event_loop(), platform))
    if not forget_factors(arguments.login):
        raise InvalidRequest(f"There is no account {arguments.login!r}.")
    return f"{arguments.login} has no second factor any more, and every session has ended."


def _password(arguments: argparse.Namespace) -> str:
    check_account(arguments.kind, arguments.reference)
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\n")
    first, second = (getpass.getpass(prompt) for prompt in ("Password: ", "Once more: "))
    if first != second:
        raise InvalidRequest("The two passwords differ; start again.")
    return first


def check_account(kind: str | None, reference: str) -> None:
    """Check what an account says of its person.

    Raises:
        InvalidRequest: no kind, or a reference that its kind cannot have.
    """
    wanted = {
        Kind.PATIENT.value: "Patient",
        Kind.PROFESSIONAL.value: "Practitioner",
    }
    if kind is None:
        raise InvalidRequest("Give --kind: which portal the account enters.")
    rt, _, rid = reference.partition("/")
    if kind in wanted and (rt != wanted[kind] or not rid):
        raise InvalidRequest(f"A {kind} needs --reference {wanted[kind]}/id.")
    if reference and (rt not in RESOURCE_TYPES or not rid):
        raise InvalidRequest("--reference is written Type/id, such as Patient/123.")
