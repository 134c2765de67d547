"""`aduana audit privacy`: nothing private leaves through the real gateway, and a leak of every kind would be told."""

import argparse
import sys

import pytest

from gateway.cli.audit.planted.dialects import PLACES
from gateway.cli.audit.privacy import audit
from tests.cli.audit.conftest import Audited

KINDS = {
    *PLACES,
    "encodings",
    "encodings in encodings",
    "seams",
    "unreadable parts",
    "tags and headers",
    "tags of keys and names",
    "memory: told where",
    "memory: quoted where",
    "memory: quoted how",
    "memory: quoted in an encoding",
    "memory: clause by clause",
    "memory: answers",
    "memory: answers in pieces",
    "memory: under another key",
    "memory: stored",
    "memory: turns: plain",
    "memory: turns: the system prompt has a clock",
    "memory: while it comes",
    "memory: after hanging up",
    "memory: after a restart",
}


def test_no_canary_reaches_the_cloud_and_clean_requests_do(audited: Audited) -> None:
    """In every place, encoding and dialect, canaries stay at home and clean requests reach the cloud."""
    code, result = audited("planted", "gateway")
    assert (result["leaks"], result["kept_back"], code) == ([], [], 0)


def test_what_was_told_in_private_stays_and_what_is_nobodys_gets_out(audited: Audited) -> None:
    """What was told in private never leaves, also after a restart; harmless requests around it do."""
    code, result = audited("memory released", "gateway")
    assert (result["leaks"], result["overblocked"], code) == ([], [], 0)


def test_a_leak_of_every_kind_is_told(audited: Audited) -> None:
    """Where every request goes to the cloud, each canary of each kind is reported as a leak."""
    code, result = audited("planted memory released", "tests.standins.leaky_gateway", "open")
    assert code == 1
    groups = {group["group"]: group for group in result["groups"] if group["canaries"]}
    assert groups.keys() >= KINDS
    assert [name for name, group in groups.items() if group["leaks"] != group["canaries"]] == []
    assert result["total"]["canaries"] > 2500


def test_a_gateway_that_keeps_everything_is_no_proof(audited: Audited) -> None:
    """Where nothing reaches the cloud, every kind of harmless requests is reported, and the audit fails."""
    code, result = audited("released", "tests.standins.leaky_gateway", "shut")
    assert (code, result["leaks"]) == (1, [])
    assert set(result["overblocked"]) == {group["group"] for group in result["groups"] if group["clean"]}


def test_a_gateway_that_finds_nothing_is_told_with_every_leak(audited: Audited) -> None:
    """Of a gateway that finds nothing, every canary that it does not refuse is reported; what tags keep still stays."""
    code, result = audited("planted", "tests.standins.leaky_gateway", "blind")
    assert code == 1
    groups = {group["group"]: group for group in result["groups"] if group["canaries"]}
    for name in groups.keys() - {"rerank", "unreadable parts", "tags and headers", "tags of keys and names"}:
        group = groups[name]  # ranking has no road into a cloud
        assert group["leaks"] == group["canaries"] - group["refused"] - group["without"] > 0, group


def test_a_gateway_that_takes_no_encoding_off_leaks_encodings_only(audited: Audited) -> None:
    """The audit says where a leak is: of a gateway that decodes nothing only encodings leak."""
    code, result = audited("planted", "tests.standins.leaky_gateway", "literal")
    assert code == 1
    groups = {group["group"]: group["leaks"] for group in result["groups"]}
    assert groups["encodings"] > 50
    assert groups["encodings in encodings"] > 50
    assert groups["Ollama"] == groups["embeddings"] == groups["tags and headers"] == 0


def test_a_gateway_that_does_not_start_is_no_proof(capfd: pytest.CaptureFixture[str]) -> None:
    """Where the gateway does not start, the audit ends with exit status 2 and prints the gateway's own words."""
    args = argparse.Namespace(config=None, quick=True, part=None, full=False, json=True, verbose=False)
    assert audit(args, (sys.executable, "-c", "print('no such thing')")) == 2
    assert "no such thing" in capfd.readouterr().err
