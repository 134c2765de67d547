"""Nothing that was planted leaves, over thousands of random requests, while targets fail and processes die."""

import os
import shutil
import subprocess
import sys
from collections import Counter

import msgspec
import pytest

from tests.campaign.__main__ import Outcome
from tests.campaign.plan import Plan

REQUESTS = 5_000


def _namespace_works() -> bool:
    """Whether this machine lets us have a network of our own."""
    if sys.platform != "linux" or os.getuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return False
    command = ["unshare", "--net", "sh", "-c", "ip link set lo up && ip route add default dev lo"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("seed", [20_261_129])
def test_nothing_planted_leaves(seed: int) -> None:
    """Neither the stand-in cloud nor the packets towards it have any of it; the controls were seen in both."""
    command = [sys.executable, "-m", "tests.campaign", "--json", "--requests", str(REQUESTS), "--seed", str(seed)]
    wire = _namespace_works()
    done = subprocess.run([*command, *(["--namespace"] if wire else [])], capture_output=True, text=True, check=False)
    outcome = msgspec.json.decode(done.stdout, type=Outcome)
    assert outcome.leaks == []
    assert outcome.on_the_wire == []
    assert outcome.strange == []
    assert outcome.requests >= REQUESTS
    assert outcome.control, "a leak on purpose was not seen"
    assert outcome.clean.get("cloud", 0) >= 20, "harmless requests did not get to the cloud"
    assert not wire or (outcome.wire_control and outcome.lost == 0)
    assert done.returncode == 0


def test_the_same_seed_asks_the_same() -> None:
    """A leak can be looked for again; every dialect and most kinds of failure come."""
    first, second = Plan(7, ()), Plan(7, ())
    cases = [first.case("x") for _ in range(3_000)]
    assert cases == [second.case("x") for _ in range(3_000)]
    assert [first.weather().name for _ in range(5)] == [second.weather().name for _ in range(5)]
    assert len(Counter(case.path for case in cases)) >= 12
