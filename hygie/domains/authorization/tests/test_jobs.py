"""The named jobs, run as the job worker runs them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hygie.domains.authorization import jobs
from hygie.testing.portal import Site

Job = Callable[[Any], Any]


def run(site: Site, job: Job) -> None:
    asyncio.run_coroutine_threadsafe(job(site.platform), site.loop).result(30)


def test_the_jobs_are_registered_under_their_names(site: Site) -> None:
    names = {name for name in site.platform.jobs if name.startswith("authorization.")}
    assert names == {
        "authorization.rotate_keys",
        "authorization.tell_sign_outs",
        "authorization.forget_what_expired",
    }


def test_a_job_makes_the_next_keys_and_forgets_retired_ones(site: Site) -> None:
    from django.utils import timezone

    from hygie.domains.authorization.orm import SigningKey

    run(site, jobs.rotate_keys)
    assert SigningKey.objects.filter(algorithm="ES256").exists()
    old = SigningKey.objects.filter(algorithm="ES256").earliest("starts")
    now = timezone.now()
    SigningKey.objects.filter(pk=old.pk).update(
        starts=now - timedelta(days=62), ends=now - timedelta(days=2), retires=now
    )
    run(site, jobs.rotate_keys)
    assert not SigningKey.objects.filter(pk=old.pk).exists()
    standing = SigningKey.objects.filter(algorithm="ES256", starts__lte=timezone.now())
    assert standing.filter(ends__gt=timezone.now()).exists()


@pytest.mark.parametrize("job", [jobs.tell_sign_outs, jobs.forget_what_expired])
def test_a_job_with_nothing_to_do_does_nothing(site: Site, job: Job) -> None:
    run(site, job)


def test_a_place_without_pages_has_nothing_to_keep() -> None:
    class OnlyApi:
        class settings:  # noqa: N801
            only = "api"

    assert asyncio.run(jobs.rotate_keys(OnlyApi())) is None  # type: ignore[arg-type]


def test_the_engine_alone_imports_no_django() -> None:
    code = (
        "import sys, tempfile, pathlib\n"
        "from hygie.app import compose\n"
        "from hygie.kernel.config import Settings\n"
        "compose(Settings(data=pathlib.Path(tempfile.mkdtemp()), only='api'))\n"
        "print('django' in sys.modules)\n"
    )
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
