"""A witness over HTTP, on a Unix socket or a loopback address (C2SP tlog-witness).

``POST /add-checkpoint`` is the standard's. Three more, of ours: ``GET /key`` answers the witness's
verifier key, ``GET /latest?origin=…`` its last head of a log, ``POST /introduce`` (a verifier key)
lets the first log make itself known where the witness was told to trust it. Whoever speaks to
other machines puts a proxy with TLS in front.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pwd
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from hygie.kernel.audit.witness.keeper import Answer, Witness

log = logging.getLogger(__name__)
LARGEST_BODY = 64 * 1024
PATIENCE = 10.0
SILENCE = 600.0
"""Seconds without a good head after which the operators' log of the witness says so."""
FORBIDDEN, TOO_LARGE = 403, 413


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    server: _Server
    _posts: ClassVar[dict[str, Callable[[Witness, bytes], Answer]]] = {
        "/add-checkpoint": lambda witness, body: witness.add_checkpoint(body),
        "/introduce": lambda witness, body: witness.introduce(body.decode(errors="replace")),
    }

    def do_GET(self) -> None:
        """Answer the key of the witness or its last head of a log."""
        asked = urlsplit(self.path)
        witness = self.server.witness
        if asked.path == "/key":
            self._send(Answer(200, f"{witness.cosigner.verifier_key}\n"))
        elif asked.path == "/latest":
            origin = parse_qs(asked.query).get("origin", [""])[0]
            self._send(witness.latest(origin))
        else:
            self._send(Answer(404))

    def do_POST(self) -> None:
        """Answer a head or a log that introduces itself."""
        act = self._posts.get(self.path)
        length = self.headers.get("Content-Length", "")
        if act is None or not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(Answer(404 if act is None else TOO_LARGE))
            return
        answer = act(self.server.witness, self.rfile.read(int(length)))
        if answer.status == 200:  # noqa: PLR2004 - RFC 9110
            self.server.heard = time.monotonic()
        self._send(answer)

    def address_string(self) -> str:
        """Return who asks; nobody has an address on a Unix socket."""
        return str(self.client_address)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Write no line per request."""

    def _send(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, witness: Witness, listening: socket.socket) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.witness = witness
        self.heard = time.monotonic()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Say in one line that somebody hung up or that a request broke."""
        log.warning("witness.request_broken", extra={"error": repr(sys.exception())})

    def service_actions(self) -> None:
        """Say when no good head came for long."""
        if time.monotonic() - self.heard > SILENCE:
            log.error("witness.no_head", extra={"seconds": int(SILENCE)})
            self.heard = time.monotonic()


def listen(socket_path: Path | None, address: tuple[str, int] | None) -> socket.socket:
    """Return a listening socket: a Unix one that its owner may use, or a TCP one."""
    if address is not None:
        return socket.create_server(address)
    if socket_path is None:
        raise ValueError("a socket or an address")
    listening = socket.socket(socket.AF_UNIX)
    socket_path.unlink(missing_ok=True)
    with short(socket_path) as name:
        listening.bind(name)
    socket_path.chmod(0o600)
    listening.listen()
    return listening


@contextlib.contextmanager
def short(path: Path) -> Iterator[str]:
    """Give a Unix socket a name that fits in sun_path (unix(7)), however deep its folder is."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def become(user: str, folder: Path) -> None:
    """Give the folder to a user and become that user, who needs no way to the folder's parents.

    Raises:
        KeyError: there is no such user.
    """
    entry = pwd.getpwnam(user)
    for path in (folder, *folder.iterdir()):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    os.chdir(folder)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def serve(witness: Witness, listening: socket.socket) -> None:
    """Serve until a signal asks to stop."""
    server = _Server(witness, listening)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: threading.Thread(target=server.shutdown).start())
    log.info("witness.ready", extra={"key": witness.cosigner.verifier_key})
    server.serve_forever(poll_interval=0.5)
    server.server_close()


@contextlib.contextmanager
def serving(witness: Witness, listening: socket.socket) -> Iterator[None]:
    """Serve from a thread for the length of a block."""
    server = _Server(witness, listening)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
