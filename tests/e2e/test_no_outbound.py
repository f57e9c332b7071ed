"""The demonstration, as it is delivered, talks to no other machine.

An audit hook (PEP 578) in every Python process of a running Hygie writes down each address that is
connected to or looked up; what runs outside Python (PostgreSQL, the server) is seen in the
connections of its processes. Only loopback and Unix sockets may be there.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hygie.kernel.database import leftovers
from hygie.testing.ports import free_port

pytestmark = pytest.mark.browser
READY_WITHIN = 240.0
HOOK = """
import os, sys
def _hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[:2]
        line = f"{event} {address!r}\\n".encode(errors="replace")
        file = os.open(os.environ["HYGIE_TEST_CONNECTIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line)
        os.close(file)
sys.addaudithook(_hook)
"""
PAGES = ("/", "/help/", "/privacy/", "/privacy/connections/", "/fhir/metadata", "/sign-in/")


def is_here(address: str) -> bool:
    """Tell whether an address is of this machine and reachable from this machine alone."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return address in ("localhost", "")


@contextlib.contextmanager
def watched(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the demonstration with the hook in each of its Python processes."""
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(HOOK)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HYGIE_")},
        "PYTHONPATH": str(folder / "hook"),
        "HYGIE_TEST_CONNECTIONS": str(folder / "connections"),
    }
    command = [sys.executable, "-m", "hygie", "serve", f"--port={port}", "--demo=3"]
    with (folder / "printed").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programme
            [*command, f"--data={folder / 'data'}"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            leftovers.stop_servers(folder / "data" / "postgres")


def remote_addresses(process: subprocess.Popen[bytes]) -> set[str]:
    """Return the far ends of the connections of a process and its children."""
    found: set[str] = set()
    try:
        family = [psutil.Process(process.pid)]
        family += family[0].children(recursive=True)
    except psutil.Error:
        return found
    for one in family:
        with contextlib.suppress(psutil.Error):
            found |= {each.raddr.ip for each in one.net_connections("inet") if each.raddr}
    return found


def status_of(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - our own address
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    except OSError:
        return 0


@pytest.mark.timeout(300)
def test_the_demonstration_reaches_no_other_machine() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hygie-alone-"))
    port, far = free_port(), set[str]()
    try:
        with watched(folder, port) as process:
            until = time.monotonic() + READY_WITHIN
            while status_of(f"http://127.0.0.1:{port}/healthz") != 200:
                assert process.poll() is None, (folder / "printed").read_text()
                assert time.monotonic() < until
                far |= remote_addresses(process)
                time.sleep(0.2)
            for page in PAGES:
                assert status_of(f"http://127.0.0.1:{port}{page}") == 200, (
                    page + (folder / "printed").read_text()
                )
                far |= remote_addresses(process)
            # The jobs, the sequencer and the witness have their turns too.
            for _ in range(25):
                far |= remote_addresses(process)
                time.sleep(0.2)
        told = (folder / "connections").read_text().splitlines()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert told, "the hook saw nothing: it does not run"
    assert {address for address in far if not is_here(address)} == set()
    assert [line for line in told if not _is_local(line)] == []


def _is_local(line: str) -> bool:
    """Tell whether a line of the hook is about a Unix socket or the loopback address."""
    event, _, text = line.partition(" ")
    if event in ("socket.connect", "socket.sendto") and text.startswith(("'", "b'")):
        return True
    first = text.lstrip("(").split(",")[0].strip("'\" )")
    return first == "None" or is_here(first)


@pytest.mark.parametrize(
    "line",
    [
        "socket.connect ('203.0.113.7', 443)",
        "socket.connect ('2001:db8::1', 443, 0, 0)",
        "socket.getaddrinfo ('example.org', 443)",
        "socket.sendto ('198.51.100.1', 53)",
    ],
)
def test_another_machine_is_seen(line: str) -> None:
    assert not _is_local(line)


@pytest.mark.parametrize(
    "line",
    [
        "socket.connect ('127.0.0.1', 8000)",
        "socket.connect ('::1', 8000, 0, 0)",
        "socket.connect '/run/hygie/.s.PGSQL.5432'",
        "socket.getaddrinfo ('localhost', 8000)",
        "socket.getaddrinfo (None, 8000)",
    ],
)
def test_this_machine_is_told_apart(line: str) -> None:
    assert _is_local(line)
