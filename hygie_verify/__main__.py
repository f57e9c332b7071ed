"""Command line: ``python -m hygie_verify EXPORT [--key KEY] [--witness-key KEY]...``."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from hygie_verify.bundle import verify_proofs
from hygie_verify.note import Refused, VerifierKey
from hygie_verify.trust import Trust
from hygie_verify.walk import Report, verify

POLICIES = {"none": 0, "development": 1, "production": 2}


def main(arguments: list[str] | None = None) -> int:
    """Verify an export and print what was found; return 0 when the log is whole."""
    parser = argparse.ArgumentParser(prog="hygie_verify", description=__doc__)
    describe(parser)
    return run(parser.parse_args(arguments))


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options; ``hygie verify-log`` has the same."""
    parser.add_argument("export", type=Path, help="the export, NDJSON or NDJSON.gz")
    parser.add_argument("--key", help="the log's verifier key, received from a trusted hand")
    parser.add_argument(
        "--known",
        type=Path,
        action="append",
        default=[],
        metavar="CHECKPOINT",
        help="a checkpoint of this log kept elsewhere; may be repeated",
    )
    parser.add_argument(
        "--witness-key",
        action="append",
        default=[],
        metavar="KEY",
        help="verifier key of a witness; may be repeated",
    )
    parser.add_argument(
        "--witness-heads",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="heads that a witness kept, as `hygie witness heads` prints them; may be repeated",
    )
    parser.add_argument(
        "--timestamp-certificate", type=Path, metavar="PEM", help="root of the timestamp authority"
    )
    parser.add_argument(
        "--policy",
        choices=tuple(POLICIES),
        default="none",
        help="how many must vouch for the log: development 1, production 2 of its witnesses, the "
        "timestamp authority and heads kept elsewhere",
    )


def run(chosen: argparse.Namespace) -> int:
    """Verify; 0 when the log is whole, 1 when it is not, 2 when that cannot be told."""
    try:
        trust = _trust(chosen)
        opened = gzip.open if chosen.export.suffix == ".gz" else Path.open
        with opened(chosen.export, "rb") as lines:
            report, kind = _verified(lines, trust)
    except (Refused, OSError, EOFError, ValueError, KeyError) as error:
        print(f"cannot verify: {error}", file=sys.stderr)  # noqa: T201 - the command's answer
        return 2
    print("\n".join(_sentences(report, trust, kind)))  # noqa: T201 - same
    return 0 if report.is_whole else 1


def _trust(chosen: argparse.Namespace) -> Trust:
    certificate: Path | None = chosen.timestamp_certificate
    return Trust(
        key=VerifierKey.parse(chosen.key) if chosen.key else None,
        known=tuple(path.read_text(encoding="utf-8") for path in chosen.known),
        witnesses=tuple(VerifierKey.parse(key) for key in chosen.witness_key),
        kept=tuple(kept for path in chosen.witness_heads for kept in _kept(path)),
        certificate=certificate.read_bytes() if certificate else None,
        required=POLICIES[chosen.policy],
    )


def _kept(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_bytes().splitlines():
        head = json.loads(line)
        yield head["checkpoint"], head["cosignature"]


def _verified(lines: Iterable[bytes], trust: Trust) -> tuple[Report, str]:
    """Verify the export of a log, or of one person: its first line says which."""
    rest = iter(lines)
    first = next(rest, b"")
    if first.startswith(b'{"hygie_proofs"'):
        return verify_proofs(chain([first], rest), trust), "proved events"
    return verify(chain([first] if first else [], rest), trust=trust), "events"


def _sentences(report: Report, trust: Trust, kind: str) -> Iterator[str]:
    counted = f"{report.leaves} {kind} ({report.erased} with an erased body)"
    yield f"{counted}, {report.heads} signed heads, root {report.root.hex()}"
    for name, reach in sorted(report.vouched.items()):
        yield f"{name} vouches for the first {reach} events."
    yield from (f"NOTICE: {notice}" for notice in report.notices)
    yield from (f"FAULT: {fault}" for fault in report.faults)
    if report.is_whole:
        yield "The log is whole." if kind == "events" else "Each of these events was logged so."
    if trust.key is None:
        yield "No --key was given: this shows coherence, not who signed."
    if not report.vouched:
        yield (
            "No witness, timestamp or --known checkpoint vouches for it: a tail removed with its "
            "heads is not seen, nor a history rewritten with the log's own key."
        )


if __name__ == "__main__":
    sys.exit(main())
