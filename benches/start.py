"""Starting: from a fresh clone to a page, and warm.

Promises: ``make run`` from a fresh clone to a page, packages downloaded, in at most 4 minutes;
a warm start to ``GET /healthz`` 200 in at most 8 seconds.

Baselines in the same run: making an empty virtual environment, and starting the bare PostgreSQL of
the same data folder. ``--warm`` leaves the fresh clone out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from hygie.kernel.database.launcher import EmbeddedServer

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 600.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--warm", action="store_true", help="leave the fresh clone out")
    folder = Path(tempfile.mkdtemp(prefix="hygie-start-"))
    folder.chmod(0o755)
    try:
        if not parser.parse_args().warm:
            cold(folder)
        warm(folder / "data")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cold(folder: Path) -> None:
    """Clone, run as a newcomer with an empty home, wait for the page."""
    clone, home = folder / "clone", folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "venv", str(folder / "empty")], check=True)
    baseline = time.perf_counter() - began
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    taken = _until_page(["make", "run"], cwd=clone, environ={**kept, "HOME": str(home)})
    print(f"fresh clone to a page   {taken:7.1f} s   promise 240 s")
    print(f"  empty virtualenv      {baseline:7.1f} s   ratio {taken / baseline:.1f}")


def warm(data: Path) -> None:
    """Start once to make the folder, then time starts of it."""
    command = [sys.executable, "-m", "hygie", "serve", "--data", str(data)]
    _until_page(command, cwd=ROOT, environ=os.environ)
    times = sorted(_until_page(command, cwd=ROOT, environ=os.environ) for _ in range(3))
    bare = sorted(_bare(data) for _ in range(3))
    print(f"warm start to /healthz  {times[1]:7.2f} s   promise 8 s (worst {times[2]:.2f})")
    print(f"  bare PostgreSQL       {bare[1]:7.2f} s   ratio {times[1] / bare[1]:.1f}")


def _until_page(command: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> float:
    """Return the seconds until ``/healthz`` and the first page answer 200; stop again."""
    port = _free_port()
    began = time.perf_counter()
    child = subprocess.Popen(
        _with_port(command, port),
        cwd=cwd,
        env={**environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not (_answers(port, "/healthz") and _answers(port, "/")):
            if child.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise RuntimeError(f"{' '.join(command)} did not start")
            time.sleep(0.02)
        return time.perf_counter() - began
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(30)


def _with_port(command: Sequence[str], port: int) -> list[str]:
    return [*command] if command[0] == "make" else [*command, "--port", str(port)]


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _bare(data: Path) -> float:
    server = EmbeddedServer(data)
    began = time.perf_counter()
    server.start()
    taken = time.perf_counter() - began
    server.stop()
    return taken


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
