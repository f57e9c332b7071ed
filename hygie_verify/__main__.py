"""Command line: ``python -m hygie_verify EXPORT [--key KEY] [--known CHECKPOINT]...``."""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

from hygie_verify.note import Refused, VerifierKey
from hygie_verify.walk import Report, verify


def main(arguments: list[str] | None = None) -> int:
    """Verify an export and print what was found; return 0 when the log is whole."""
    chosen = _parser().parse_args(arguments)
    try:
        key = VerifierKey.parse(chosen.key) if chosen.key else None
        known = [path.read_text(encoding="utf-8") for path in chosen.known]
        opened = gzip.open if chosen.export.suffix == ".gz" else Path.open
        with opened(chosen.export, "rb") as lines:
            report = verify(lines, key=key, known=known)
    except (Refused, OSError, EOFError) as error:
        print(f"cannot verify: {error}", file=sys.stderr)  # noqa: T201 - the command's answer
        return 2
    print(_sentences(report, trusted=key is not None, known=len(known)))  # noqa: T201 - same
    return 0 if report.is_whole else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hygie_verify", description=__doc__)
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
    return parser


def _sentences(report: Report, *, trusted: bool, known: int) -> str:
    counted = f"{report.leaves} events ({report.erased} with an erased body)"
    lines = [f"{counted}, {report.heads} signed heads, root {report.root.hex()}"]
    lines += [f"FAULT: {fault}" for fault in report.faults]
    if report.is_whole:
        lines.append("The log is whole.")
    if not trusted:
        lines.append("No --key was given: this shows coherence, not who signed.")
    if not known:
        lines.append("No --known checkpoint was given: a tail removed with its heads is not seen.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
