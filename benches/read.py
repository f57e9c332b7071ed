"""Promise: 1,200 reads by id a second over HTTP, 32 clients, one worker.

    python benches/read.py [SECONDS] [FOLDER]

Decision and durable trace are on: each client is a patient with a bearer token who reads their own
record. ``hygie serve`` runs as it is delivered; the clients are this process, on the same machine.
Baselines in the same run: an empty ASGI answer of the same server with the same clients, and the
time of one fsync on the disk of the data folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from harness import SAMPLE

from hygie.commands.token import make_token
from hygie.kernel.config import Settings
from hygie.kernel.database import roles, server
from hygie.kernel.database.session import connect
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store.loading import find_sources

CLIENTS = 32
PROMISE = 1_200
WARM_UP = 2.0
EMPTY = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/fhir+json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})
"""

Asked = list[list[bytes]]
"""The requests each client repeats."""


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    sample = Path(sys.argv[2]) if len(sys.argv) > 2 else SAMPLE
    folder = Path(tempfile.mkdtemp(prefix="hygie-bench-"))
    data = folder / "data"
    try:
        _hygie("load", str(sample), "--data", str(data))
        port = _free_port()
        with _running(["hygie", "serve", "--port", str(port), "--data", str(data)], port):
            settings = Settings(data=data, port=port)
            asked = asyncio.run(requests_of(settings, sample))
            latencies = asyncio.run(hammer(port, asked, seconds))
            traced = traces(settings)
        with _running(_empty_server(folder, empty_port := _free_port()), empty_port):
            empty = asyncio.run(hammer(empty_port, asked, seconds / 2))
        fsync = fsync_time(data)
    finally:
        shutil.rmtree(folder)
    rate, empty_rate = len(latencies) / seconds, len(empty) / (seconds / 2)
    print(f"read by id     {rate:8.0f}/s   p50 {_at(latencies, 50):.1f} ms", end="")
    print(f"   p99 {_at(latencies, 99):.1f} ms   {CLIENTS} clients, one worker")
    print(f"empty answer   {empty_rate:8.0f}/s   p50 {_at(empty, 50):.1f} ms")
    print(f"ratio {empty_rate / rate:.1f}; one fsync {fsync * 1000:.2f} ms; promise {PROMISE}/s")
    print(f"{traced} traces are durable, warm-up included")
    sys.exit(rate < PROMISE or traced < len(latencies))


async def requests_of(settings: Settings, sample: Path) -> Asked:
    """Return, for each client, the reads of one patient's own record with their token."""
    records = []
    for source in find_sources([sample])[0]:
        items = [item for group in source.groups(0) for item in group.items]
        patient = next(item.rid for item in items if item.rt == "Patient")
        paths = [f"/fhir/{i.rt}/{i.rid}" for i in items if i.rt in ("Observation", "Encounter")]
        caller = Caller(Kind.PATIENT, 0, f"Patient/{patient}", purpose="PATRQT")
        token = await make_token(server.dsn(settings), caller, valid=timedelta(hours=1))
        head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        records.append([f"GET {path} HTTP/1.1\r\n{head}".encode() for path in paths])
    return [records[number % len(records)] for number in range(CLIENTS)]


async def hammer(port: int, asked: Asked, seconds: float) -> list[float]:
    """Return the seconds each answer took, after a warm-up."""
    begin = time.perf_counter() + WARM_UP
    found = await asyncio.gather(*(_client(port, own, begin, begin + seconds) for own in asked))
    return list(itertools.chain.from_iterable(found))


async def _client(port: int, own: list[bytes], begin: float, end: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies = []
    for request in itertools.cycle(own):
        start = time.perf_counter()
        if start > end:
            break
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"unexpected answer: {head.decode()}")
        fields = head.lower().split(b"content-length:", 1)[1]
        await reader.readexactly(int(fields.split(b"\r\n", 1)[0]))
        if start > begin:
            latencies.append(time.perf_counter() - start)
    writer.close()
    return latencies


def traces(settings: Settings) -> int:
    """Return how many reads the access log holds."""
    with connect(server.dsn(settings), role=roles.OWNER) as session:
        row = session.execute("SELECT count(*) FROM trace WHERE interaction = 'read'").fetchone()
    return int(row[0]) if row else 0


def fsync_time(folder: Path, *, times: int = 100) -> float:
    """Return the median seconds of writing 8 kB and fsync in a folder."""
    taken = []
    path = folder / "fsync"
    with path.open("wb") as file:
        for _ in range(times):
            file.write(b"\x00" * 8192)
            file.flush()
            start = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - start)
    path.unlink()
    return statistics.median(taken)


def _at(latencies: list[float], percent: int) -> float:
    return statistics.quantiles(latencies, n=100)[percent - 1] * 1000


def _empty_server(folder: Path, port: int) -> list[str]:
    (folder / "empty.py").write_text(EMPTY)
    return [
        "granian", "--interface", "asgi", "--workers", "1", "--port", str(port),
        "--working-dir", str(folder), "--log-level", "error", "empty:app",
    ]  # fmt: skip


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    """Run a server for the length of a block, from the moment it answers."""
    with subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(port)
            yield
        finally:
            process.terminate()


def _wait(port: int, *, patience: float = 60.0) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(request)
                if connection.recv(64).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _hygie(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "hygie", *arguments], check=True, stdout=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
