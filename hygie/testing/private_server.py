"""A private PostgreSQL for the tests and benches of one package, with every migration applied."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from hygie.kernel.database import roles
from hygie.kernel.database.account import server_account
from hygie.kernel.database.binaries import find
from hygie.kernel.database.session import SEARCH_PATH

_MIGRATIONS = Path(roles.__file__).parent / "migrations"


@contextmanager
def private_server(*, fsync: bool = False) -> Iterator[str]:
    """Yield the connection string of a new server that ends with the block.

    ``fsync`` is off for tests, which never cut the power; a bench turns it on.
    """
    folder = Path(tempfile.mkdtemp(prefix="hygie-"))
    account, programs = server_account(folder / "pg"), find()
    account.own(folder, mode=0o700)
    identity = {"user": account.uid, "group": account.gid} if account.other else {}

    def run(name: str, *arguments: str) -> None:
        # A file, not a pipe: the server inherits it, and a pipe would never end.
        with (folder / "output").open("ab") as output:
            subprocess.run(  # noqa: S603 - programs found by the kernel, fixed arguments
                [programs.program(name), "-D", str(folder / "pg"), *arguments],
                check=True, stdout=output, stderr=output, cwd="/", **identity,  # type: ignore[call-overload]
            )  # fmt: skip

    try:
        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        options = f"-k {folder} -c listen_addresses='' -c fsync={'on' if fsync else 'off'}"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield from _prepared(f"host={folder} dbname=postgres")
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepared(dsn: str) -> Iterator[str]:
    with psycopg.connect(f"{dsn} user=postgres", autocommit=True) as admin:
        roles.ensure_login(admin)
        roles.ensure_roles(admin, member=roles.LOGIN)
        roles.ensure_schemas(admin)
        admin.execute(f"SET search_path = {SEARCH_PATH}")
        admin.execute(f"SET ROLE {roles.OWNER}")
        for migration in sorted(_MIGRATIONS.glob("*.sql")):
            admin.execute(migration.read_bytes())
    host = dsn.split(maxsplit=1)[0].removeprefix("host=")
    yield f"postgresql://{roles.LOGIN}@/postgres?host={host}"
