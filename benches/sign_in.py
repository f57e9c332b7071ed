"""Promise: a rush of sign-ins leaves at least four reads in ten, and none of them fails.

    python benches/sign_in.py [SECONDS] [FOLDER]

Prints the cost of one sign-in, then reads by id a second without and with sixteen people who sign
in again and again. Each try costs one argon2id hash, as every try does; the logins do not exist, so
the bench needs no account. ``hygie serve`` runs as it is delivered, one worker; clients of both
sorts are on the same machine and take their share of it.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from harness import SAMPLE
from read import _free_port, _hygie, _running, hammer, requests_of

from hygie.kernel.config import Settings

PEOPLE = 16
PROMISE = 0.4
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    sample = Path(sys.argv[2]) if len(sys.argv) > 2 else SAMPLE
    # The limit of one address would end the rush: these are people of one declared hospital.
    os.environ["HYGIE_NETWORKS"] = "127.0.0.0/8"
    folder = Path(tempfile.mkdtemp(prefix="hygie-bench-"))
    data = folder / "data"
    try:
        _hygie("load", str(sample), "--data", str(data))
        port = _free_port()
        with _running(["hygie", "serve", "--port", str(port), "--data", str(data)], port):
            asked = asyncio.run(requests_of(Settings(data=data, port=port), sample))
            alone = sorted(_try(port, f"alone{number}") for number in range(9))[4]
            calm = asyncio.run(hammer(port, asked, seconds))
            with subprocess.Popen(
                [sys.executable, __file__, "rush", str(port), str(seconds + 2)],
                stdout=subprocess.PIPE,
                text=True,
            ) as rush:
                rushed = asyncio.run(hammer(port, asked, seconds))
                told, _ = rush.communicate()
    finally:
        shutil.rmtree(folder)
    ratio = len(rushed) / len(calm)
    print(f"one sign-in, alone       {alone * 1000:6.0f} ms")
    print(f"reads without a rush     {_told(calm, seconds)}")
    print(f"reads with a rush        {_told(rushed, seconds)}   ratio {ratio:.2f}")
    print(f"sign-ins of the rush     {told.strip()}; promise: ratio {PROMISE}")
    sys.exit(ratio < PROMISE)


def rush(port: int, seconds: float) -> None:
    """Sign in again and again with several people at once; print how many and how long it took."""
    end, taken, numbers = time.perf_counter() + seconds, list[float](), itertools.count()

    def person() -> None:
        while time.perf_counter() < end:
            taken.append(_try(port, f"rush{next(numbers)}"))

    threads = [threading.Thread(target=person) for _ in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    middle = statistics.median(taken)
    print(f"{len(taken) / seconds:6.1f}/s   p50 {middle * 1000:.0f} ms   {PEOPLE} people")


def _try(port: int, login: str) -> float:
    """Return the seconds that one try takes, form included."""
    began = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("GET", "/sign-in/")
    page = line.getresponse()
    cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
    found = _TOKEN.search(page.read().decode())
    if found is None:
        raise SystemExit(f"no form: {page.status}")
    sent = {"csrfmiddlewaretoken": found[1], "login": login, "password": "not the password"}
    line.request("POST", "/sign-in/", urlencode(sent), {**FORM, "Cookie": cookie})
    answer = line.getresponse()
    answer.read()
    line.close()
    if answer.status not in {200, 503}:
        raise SystemExit(f"unexpected answer: {answer.status}")
    return time.perf_counter() - began


def _told(latencies: list[float], seconds: float) -> str:
    cuts = statistics.quantiles(latencies, n=100)
    rate = len(latencies) / seconds
    return f"{rate:6.0f}/s   p50 {cuts[49] * 1000:.1f} ms   p99 {cuts[98] * 1000:.1f} ms"


if __name__ == "__main__":
    if sys.argv[1:2] == ["rush"]:
        rush(int(sys.argv[2]), float(sys.argv[3]))
    else:
        main()
