from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hygie_verify
from hygie_verify.__main__ import main
from hygie_verify.tests.sample import encoded, leaf, sample, verifier_key


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "log.ndjson"
    path.write_bytes(b"\n".join(encoded(sample(map(leaf, range(5)), heads=[5]))))
    return path


def test_a_whole_log_answers_zero(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(export), "--key", verifier_key()]) == 0
    assert "The log is whole." in capsys.readouterr().out


def test_a_compressed_export_is_read(export: Path) -> None:
    packed = export.with_suffix(".gz")
    packed.write_bytes(gzip.compress(export.read_bytes()))
    assert main([str(packed)]) == 0


def test_a_changed_log_answers_one(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export.write_bytes(export.read_bytes().replace(b"Practitioner/3", b"Practitioner/4"))
    assert main([str(export)]) == 1
    assert "FAULT: event 3" in capsys.readouterr().out


def test_without_a_key_the_command_says_what_is_not_shown(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(export)])
    assert "not who signed" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["absent.ndjson"], ["absent.ndjson", "--key", "bad"]])
def test_what_cannot_be_verified_answers_two(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_a_cut_compressed_export_answers_two(export: Path) -> None:
    packed = export.with_suffix(".gz")
    packed.write_bytes(gzip.compress(export.read_bytes())[:-30])
    assert main([str(packed)]) == 2


def test_it_runs_alone_far_from_the_platform(export: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(Path(hygie_verify.__file__).parent, alone / "hygie_verify")
    done = subprocess.run(  # noqa: S603 - our own programme
        [sys.executable, "-X", "importtime", "-m", "hygie_verify", str(export)],
        cwd=alone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "hygie_verify.walk" in imported
    assert not {name for name in imported if name == "hygie" or name.startswith("hygie.")}
