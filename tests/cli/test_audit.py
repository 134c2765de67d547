"""`aduana audit privacy`: no canary leaves through the real gateway, and a leak would be told."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.cli.audit import audit
from gateway.cli.audit.cases import AuditCase, cases
from gateway.cli.audit.client import Result
from gateway.cli.audit.dialects import PLACES
from gateway.cli.audit.report import exit_code, verdict
from gateway.core.document import freeze_object
from gateway.privacy import Inspector


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a directory without a configuration."""
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)


def audited(capfd: pytest.CaptureFixture[str], *command: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """Return exit status and result of a quick audit of the gateway that the command starts."""
    args = argparse.Namespace(config=None, quick=True, json=True, verbose=False, **options)
    code = audit(args, (sys.executable, "-m", *command))
    return code, json.loads(capfd.readouterr().out)


def test_no_canary_reaches_the_cloud_and_clean_requests_do(capfd: pytest.CaptureFixture[str]) -> None:
    """In every place, encoding and dialect, canaries stay at home and clean requests reach the cloud."""
    assert main(["audit", "privacy", "--quick", "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert (result["leaks"], result["kept_back"]) == ([], [])
    assert result["total"]["canaries"] > 700
    assert {"encodings", *PLACES} < {group["group"] for group in result["groups"]}


def test_a_gateway_that_finds_nothing_is_told_with_every_leak(capfd: pytest.CaptureFixture[str]) -> None:
    """The audit can fail: of a gateway that finds nothing it reports every leak."""
    code, result = audited(capfd, "tests.standins.leaky_gateway", "blind")
    assert code == 1
    for group in result["groups"]:
        reached = group["canaries"] - group["refused"] - group["without"]
        if group["group"] not in ("clean", "rerank", "unreadable parts"):  # ranking has no road into a cloud
            assert group["leaks"] == reached > 0, group


def test_a_gateway_that_takes_no_encoding_off_leaks_encodings_only(capfd: pytest.CaptureFixture[str]) -> None:
    """The audit says where a leak is: of a gateway that decodes nothing only encodings leak."""
    code, result = audited(capfd, "tests.standins.leaky_gateway", "literal")
    assert code == 1
    groups = {group["group"]: group["leaks"] for group in result["groups"]}
    assert groups["encodings"] > 50
    assert groups["encodings in encodings"] > 50
    assert groups["Ollama"] == groups["Responses"] == groups["embeddings"] == 0


def test_a_gateway_that_does_not_start_is_no_proof(capfd: pytest.CaptureFixture[str]) -> None:
    """Where the gateway does not start, the audit ends with exit status 2 and prints the gateway's own words."""
    args = argparse.Namespace(config=None, quick=True, json=True, verbose=False)
    assert audit(args, (sys.executable, "-c", "print('no such thing')")) == 2
    assert "no such thing" in capfd.readouterr().err


def result(name: str, where: str, *, sensitive: bool, leak: bool = False) -> Result:
    case = AuditCase(group="g", name=name, sensitive=sensitive, path="/", body={}, marker=name)
    return Result(case=case, status=200, where=where, leak=leak)


@pytest.mark.parametrize(
    ("canary", "clean", "code"), [("home", "cloud", 0), ("cloud", "cloud", 1), ("home", "home", 1)]
)
def test_a_leak_or_an_audit_that_proves_nothing_is_a_failure(canary: str, clean: str, code: int) -> None:
    """The audit fails on a leak, and where nothing reaches the cloud, for then nothing was held back either."""
    results = [
        result("c", canary, sensitive=True, leak=canary == "cloud"),
        result("x", clean, sensitive=False),
    ]
    assert exit_code(results) == code
    counts = verdict("all", results)
    assert (counts.canaries, counts.leaks, counts.clean) == (1, int(canary == "cloud"), 1)


def test_every_marker_is_of_one_case_only() -> None:
    """Else one request's arrival would be taken for another's; and every case holds its own."""
    made = list(cases({"custom.project 1": "sobre Fénix"}))
    markers = [case.marker for case in made]
    assert len(set(markers)) == len(markers) > 700
    assert all(case.marker in json.dumps(case.body) for case in made)
    assert {"your own words", "unreadable parts", "clean"} < {case.group for case in made}


def test_every_canary_is_found_by_inspection_itself(inspector: Inspector) -> None:
    """Not merely refused for another reason; a clean request has neither finding nor doubt."""
    for case in cases():
        inspection = inspector.inspect(freeze_object(case.body))
        if case.group != "unreadable parts":
            assert bool(inspection.findings) == case.sensitive, case.name
            assert not inspection.doubts or case.group == "Anthropic", case.name
