from __future__ import annotations

import json
import logging
import sys

from hygie.supervisor.journal import HumanLines, JsonLines


def _record(**extra: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"msg": "appointment.booked", "levelname": "INFO", "name": "a"})
    vars(record).update(extra)
    return record


def test_a_line_for_people_holds_event_and_fields() -> None:
    assert HumanLines().format(_record(slot=12)).endswith(" info appointment.booked slot=12")


def test_a_json_line_holds_event_and_fields() -> None:
    line = json.loads(JsonLines().format(_record(slot=12)))
    assert (line["event"], line["slot"], line["level"]) == ("appointment.booked", 12, "info")


def test_a_line_never_holds_a_whole_request() -> None:
    class Request:
        def __repr__(self) -> str:
            return "<GET '/patients/?q=Le+Goff'>"

    record = _record(request=Request(), status_code=404)
    assert HumanLines().format(record).endswith(" info appointment.booked status_code=404")
    assert "Goff" not in JsonLines().format(record)


def test_an_error_keeps_its_traceback() -> None:
    try:
        int("not a number")
    except ValueError:
        record = _record(exc_info=sys.exc_info())
    assert "ValueError" in HumanLines().format(record)
    assert "ValueError" in json.loads(JsonLines().format(record))["error"]
