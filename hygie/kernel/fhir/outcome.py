"""Write an OperationOutcome (FHIR R4, operationoutcome.html)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hygie.kernel.errors import Issue


def outcome(issues: Iterable[Issue]) -> bytes:
    """Return the JSON of an OperationOutcome.

    >>> outcome([Issue("required", "Give the status.", "Observation.status")]).decode()[:56]
    '{"resourceType":"OperationOutcome","issue":[{"severity":'
    """
    return msgspec.json.encode(
        {"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in issues]}
    )


def _issue(issue: Issue) -> dict[str, Any]:
    line: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "diagnostics": issue.diagnostics,
    }
    if issue.expression is not None:
        line["expression"] = [issue.expression]
    return line
