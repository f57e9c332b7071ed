from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from hygie.kernel.database import folders, leftovers
from hygie.kernel.database.account import Account, let_through, server_account
from hygie.kernel.database.launcher import SUPERUSER, EmbeddedServer
from hygie.kernel.database.lock import FolderLock
from hygie.kernel.database.process import servers_of
from hygie.kernel.database.session import connect
from hygie.kernel.errors import ConfigurationError, Unavailable

START = """
import sys, time; from pathlib import Path
from hygie.kernel.database.launcher import EmbeddedServer
EmbeddedServer(Path(sys.argv[1])).start(); print('ready', flush=True); time.sleep(60)
"""


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    # Not below pytest's own folder, which is closed to the account of the server.
    folder = Path(tempfile.mkdtemp(prefix="hygie-test-"))
    yield folder
    leftovers.stop_servers(folder / "postgres")
    shutil.rmtree(folder)


@pytest.fixture
def data() -> Iterator[Path]:
    with _scratch() as folder:
        yield folder


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """Give a running server that tests only look at."""
    with _scratch() as folder:
        started = EmbeddedServer(folder)
        started.start()
        yield started
        started.stop()


def _ask(server: EmbeddedServer, question: str) -> object:
    with connect(server.dsn(user=SUPERUSER, database="postgres")) as session:
        row = session.execute(question.encode()).fetchone()
        return row[0] if row else None


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", ""),
        ("jit", "off"),
    ],
)
def test_the_server_is_durable_and_private(
    server: EmbeddedServer, parameter: str, value: str
) -> None:
    assert _ask(server, f"SHOW {parameter}") == value


def test_accents_are_letters_of_the_database(server: EmbeddedServer) -> None:
    assert _ask(server, "SELECT lower('ÉLÉONORE') || ' ' || upper('maëlle')") == "éléonore MAËLLE"


def test_its_socket_is_behind_a_private_folder(server: EmbeddedServer) -> None:
    folder = folders.socket_folder(server.data)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ".s.PGSQL.5432").is_socket()


def test_errors_in_its_log_hold_no_value(server: EmbeddedServer) -> None:
    where = server.dsn(user=SUPERUSER, database="postgres")
    with connect(where) as session:
        session.execute("CREATE TABLE person (ins text PRIMARY KEY)")
        for _ in range(2):
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                session.execute("INSERT INTO person VALUES ('190010123456789')")
    log = (folders.logs(server.data) / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "190010123456789" not in log


def test_a_stopped_server_leaves_no_process(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    server.stop()
    assert not list(servers_of(server.pgdata))
    assert not server.is_running()


def test_an_interrupted_first_start_begins_again(data: Path) -> None:
    half = data / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedServer(data)
    server.start()
    server.stop()
    assert not half.exists()


def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    server.stop()
    (server.pgdata / "global" / "pg_control").unlink()
    with pytest.raises(Unavailable, match="pg_control"):
        server.start()


def test_a_long_data_path_puts_the_socket_elsewhere(data: Path) -> None:
    deep = data / ("d" * 60) / ("e" * 60)
    server = EmbeddedServer(deep)
    server.start()
    try:
        folder = folders.socket_folder(deep)
        assert not folder.is_relative_to(deep)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert _ask(server, "SELECT 1") == 1
    finally:
        server.stop()
    server.start()
    assert folders.socket_folder(deep) == folder
    server.stop()
    folder.rmdir()


def test_a_copied_data_folder_does_not_share_its_socket(data: Path) -> None:
    account = server_account(data / "postgres")
    deep = data / ("d" * 60) / ("e" * 60)
    first = folders.make_socket_folder(deep, account)
    copy = deep.with_name("f" * 60)
    shutil.copytree(deep, copy)
    second = folders.make_socket_folder(copy, account)
    assert first != second
    first.rmdir()
    second.rmdir()


def _killed(data: Path, *, postgres_too: bool) -> None:
    """Start a server in another process, then kill that process at once."""
    with subprocess.Popen(  # noqa: S603 - our own programme
        [sys.executable, "-c", START, str(data)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        doomed = [psutil.Process(process.pid)]
        if postgres_too:
            doomed += doomed[0].children(recursive=True)
        for signalled in (signal.SIGSTOP, signal.SIGKILL):
            for each in doomed:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.send_signal(signalled)


def test_it_starts_again_after_a_kill_of_everything(data: Path) -> None:
    for _ in range(3):
        _killed(data, postgres_too=True)
        assert (data / "postgres" / "postmaster.pid").exists()
    server = EmbeddedServer(data)
    server.start()
    assert _ask(server, "SELECT 1") == 1
    server.stop()


def test_a_server_whose_launcher_was_killed_is_stopped_first(data: Path) -> None:
    _killed(data, postgres_too=False)
    server = EmbeddedServer(data)
    server.start()
    assert {process.ppid() for process in servers_of(server.pgdata) if process.pid == server.pid}
    assert _ask(server, "SELECT 1") == 1
    server.stop()


def test_locks_that_name_an_unrelated_live_process_are_removed(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    server.stop()
    sockets = folders.socket_folder(data)
    stale = f"{os.getpid()}\n{server.pgdata}\n{int(time.time())}\n5432\n{sockets}\n"
    for lock in (server.pgdata / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        lock.write_text(stale)
        shutil.chown(lock, *_owner(server.pgdata))
    server.start()
    assert _ask(server, "SELECT 1") == 1
    server.stop()


def test_locks_that_name_a_defunct_process_are_removed(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    server.stop()
    child = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    lock = folders.socket_folder(data) / ".s.PGSQL.5432.lock"
    lock.write_text(f"{child.pid}\n{server.pgdata}\n{int(time.time())}\n5432\n\n")
    server.start()
    assert _ask(server, "SELECT 1") == 1
    server.stop()
    child.wait()


def test_a_lock_that_names_a_live_server_of_this_folder_is_never_removed(
    server: EmbeddedServer,
) -> None:
    with pytest.raises(ConfigurationError, match="may be a live server"):
        leftovers.check_is_stale(server.pgdata / "postmaster.pid", server.pgdata)


def test_a_live_server_of_another_folder_is_left_alone(server: EmbeddedServer, data: Path) -> None:
    other = data / "other"
    other.mkdir()
    leftovers.stop_servers(other)
    assert server.is_running()


def test_one_programme_at_a_time_holds_a_data_folder(data: Path) -> None:
    first, second = FolderLock(data), FolderLock(data)
    first.take()
    with pytest.raises(ConfigurationError, match=rf"already runs on .* \(process {os.getpid()}\)"):
        second.take()
    first.release()
    second.take()
    second.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give folders away")
def test_folders_above_get_the_right_to_pass_and_nothing_else(data: Path) -> None:
    home = data / "home"
    (home / "deep").mkdir(parents=True)
    home.chmod(0o700)
    let_through(Account(12345, 12345, other=True), home / "deep" / "file")
    assert home.stat().st_mode & 0o777 == 0o701


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers for others")
def test_root_runs_the_server_as_an_ordinary_user(server: EmbeddedServer) -> None:
    assert server.pid is not None
    assert psutil.Process(server.pid).uids().real == _owner(server.pgdata)[0] != 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may start any server")
def test_a_folder_of_another_user_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        server_account(Path("/"))


def _owner(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_uid, facts.st_gid
