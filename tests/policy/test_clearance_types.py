"""The type checker rejects a cloud call without a clearance, and a home-made clearance."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

GOOD = """
from collections.abc import AsyncGenerator
from gateway.cloud import CloudTarget
from gateway.core.delta import Delta
from gateway.core.request import ChatRequest, Inbound
from gateway.policy import Clearance, Decision, Policy, mint

def good(target: CloudTarget, decision: Decision, inbound: Inbound, policy: Policy) -> AsyncGenerator[Delta, None]:
    return target.generate(mint(decision, "big", inbound, policy), deadline=1.0)
"""

BAD = """
def without(target: CloudTarget, request: ChatRequest) -> None:
    target.generate(request, deadline=1.0)                                                  # arg-type
    target.generate(request.document, deadline=1.0)                                         # arg-type
    target.generate(deadline=1.0)                                                           # call-arg
    target.exchange(request, deadline=1.0)                                                  # arg-type
    target.exchange(request.document, deadline=1.0)                                         # arg-type

def home_made(inbound: Inbound) -> None:
    Clearance()                                                                             # call-arg
    Clearance(object(), request_id="", target="", label=0, endpoint="", document={})        # arg-type

def changed(clearance: Clearance) -> None:
    clearance.document["model"] = "other"                                                   # index
    clearance.target = "other"                                                              # misc

class Own(Clearance):                                                                       # misc
    pass
"""


def _mypy(tmp_path: Path, text: str) -> str:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(text)
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context",
         "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache"), str(snippet)],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"MYPYPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    return "\n".join(line for line in result.stdout.splitlines() if line.startswith(str(snippet)))


@pytest.fixture(scope="module", autouse=True)
def _needs_mypy() -> None:
    pytest.importorskip("mypy", reason="the type checker is part of the development set-up: make check")


def test_the_only_way_type_checks(tmp_path):
    """A clearance from `mint` is accepted."""
    assert _mypy(tmp_path, GOOD) == ""


def test_every_other_way_does_not(tmp_path):
    """Each marked line is an error with the marked code, and no other line is."""
    text = GOOD + BAD
    found = {}
    for line in _mypy(tmp_path, text).splitlines():
        if ": error:" in line:
            number = int(line.split(":")[1])
            found.setdefault(number, set()).add(line.rsplit("[", 1)[1].rstrip("]"))
    expected = {
        number: line.split("#")[1].strip()
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and "  # " in line
    }
    assert set(found) == set(expected), found
    assert all(code in found[number] for number, code in expected.items()), found
