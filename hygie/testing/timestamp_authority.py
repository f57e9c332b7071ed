"""A timestamp authority on the loopback address: openssl behind HTTP, with keys of its own."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIGURATION = """
[ req ]
distinguished_name = name
prompt = no
[ name ]
CN = {name}
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ stamp ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ tsa ]
default_tsa = tsa_one
[ tsa_one ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/stamp.pem
signer_key = {folder}/stamp.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class LocalAuthority:
    """Keys and certificates of an authority below a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.url = ""
        for name in ("root", "stamp"):
            text = _CONFIGURATION.format(folder=folder, name=f"Hygie test {name}")
            (folder / f"{name}.cnf").write_text(text)
        (folder / "serial").write_text("01\n")
        new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        self._openssl(
            f"req -x509 {new} -days 30 -keyout root.key -out root.pem -config root.cnf "
            "-extensions root"
        )
        self._openssl(f"req -new {new} -keyout stamp.key -out stamp.csr -config stamp.cnf")
        self._openssl(
            "x509 -req -in stamp.csr -CA root.pem -CAkey root.key -CAcreateserial -days 30 "
            "-out stamp.pem -extfile stamp.cnf -extensions stamp"
        )

    @property
    def certificate(self) -> Path:
        """Return the file of the root certificate."""
        return self.folder / "root.pem"

    def answer(self, query: bytes) -> bytes:
        """Return the answer to a query, in DER."""
        (self.folder / "query").write_bytes(query)
        self._openssl("ts -reply -config stamp.cnf -section tsa_one -queryfile query -out reply")
        return (self.folder / "reply").read_bytes()

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Serve for the length of a block; give the address."""
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Answer one query."""
                reply = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Write no line per request."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/stamp"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _openssl(self, arguments: str) -> None:
        subprocess.run(  # noqa: S603 - fixed arguments
            ["openssl", *arguments.split()],  # noqa: S607
            cwd=self.folder,
            check=True,
            capture_output=True,
        )
