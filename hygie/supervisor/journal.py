"""Logs for operators: an event name and fields, as a line for people or as JSON.

Never a name, an INS, a birth date or a document: what the law wants to know is in the access
log, which is another thing.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from hygie.kernel.config import LogFormat

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PLAIN = (str, int, float, Path)


def set_up(kind: LogFormat) -> None:
    """Write the logs of this process to its standard error in one format."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if kind == "json" else HumanLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class HumanLines(logging.Formatter):
    """``12:04:31 warning database.slow_stop signal=SIGINT``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        moment = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        facts = "".join(f" {name}={value}" for name, value in fields(record).items())
        line = f"{moment} {record.levelname.lower()} {record.getMessage()}{facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, event, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **fields(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def fields(record: logging.LogRecord) -> dict[str, object]:
    """Return what was given in ``extra``, plain values only.

    Django gives its whole request, whose text holds the query string: names that were searched.
    """
    return {
        name: value
        for name, value in vars(record).items()
        if name not in _STANDARD and isinstance(value, _PLAIN)
    }
