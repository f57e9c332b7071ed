"""Texts have a length, attachments have the length of the body."""

from __future__ import annotations

import pytest

from hygie.kernel.errors import Malformed
from hygie.kernel.fhir.validate import parse


def test_a_text_over_a_mebibyte_is_refused_and_base64_is_not() -> None:
    long = b"a" * (1_048_576 + 1)
    with pytest.raises(Malformed) as refused:
        parse(b'{"resourceType":"Patient","name":[{"family":"' + long + b'"}]}')
    issue = refused.value.issues[0]
    assert (issue.code, issue.expression) == ("too-long", "Patient.name[0].family")
    parse(b'{"resourceType":"Binary","contentType":"a/b","data":"' + b"YQ==" + b'"}')
    parse(b'{"resourceType":"Binary","contentType":"a/b","data":"' + b"YWFh" * 300_000 + b'"}')
