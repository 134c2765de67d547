"""`aduana prices`: what it shows, and that only a real price list replaces another."""

import argparse
import os
from pathlib import Path

import msgspec
import pytest

from gateway.cli import prices
from gateway.core.errors import BadRequest, Unavailable
from tests.grafana.prometheus import exposing

CONFIG = """
targets:
  big: {kind: openai, zone: cloud, base_url: "https://api.openai.com/v1", model: gpt-5.4}
  mine: {kind: openai, zone: cloud, base_url: "https://gpu.example.com/v1", model: my-finetune}
  contract: {kind: openai, zone: cloud, base_url: "https://api.openai.com/v1", model: gpt-4.1}
  workstation: {kind: openai, zone: local, base_url: "http://127.0.0.1:8081/v1", model: qwen3}
prices:
  overrides:
    gpt-4.1: {input: 1.5, output: 6}
"""
LIST = msgspec.json.encode(
    [
        {
            "id": "acme",
            "name": "Acme",
            "api_pattern": r"https://gpu\.example\.com",
            "model_match": {"starts_with": "my-"},
            "models": [{"id": "my-finetune", "match": {"equals": "my-finetune"}, "prices": {"input_mtok": 7}}],
        }
    ]
)


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """Return the arguments as if typed without options; the state directory is the test's own."""
    monkeypatch.setenv("ADUANA_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    config = tmp_path / "aduana.yaml"
    config.write_text(CONFIG)
    return argparse.Namespace(config=config, update=None)


def test_it_shows_every_cloud_target_and_the_reference(
    arguments: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """List, override, and a question mark where nothing is known, which is exit code 1."""
    assert prices.run(arguments) == 1
    out = capsys.readouterr().out
    lines = {line.split()[1]: line for line in out.splitlines() if line.startswith("│")}
    assert set(lines) == {"(reference)", "big", "mine", "contract"}
    assert "0.4" in lines["(reference)"]
    assert "above 272,000: 5/22.5" in lines["big"]
    assert "prices.overrides" in lines["contract"]
    assert lines["mine"].count("?") == 3


def test_a_newer_list_is_checked_and_stored(
    arguments: argparse.Namespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A newer price list is taken over from a file or a mirror, and a hint says how to use it from now on."""
    source = tmp_path / "data.json"
    source.write_bytes(LIST)
    arguments.update = str(source)
    assert prices.run(arguments) == 1  # this small list does not know the reference model
    shown = capsys.readouterr()
    assert "7" in shown.out
    assert f"data_file: {tmp_path / 'state' / 'prices.json'}" in shown.err
    (tmp_path / "state" / "prices.json").unlink()
    os.utime(source, (1_790_000_000, 1_790_000_000))
    assert prices.update(str(source), tmp_path / "state" / "prices.json").stat().st_mtime == 1_790_000_000
    with exposing(lambda: LIST) as port:
        assert prices.update(f"http://127.0.0.1:{port}/data.json", tmp_path / "state" / "prices.json").is_file()


@pytest.mark.parametrize("content", [b"{}", b"not json", b'[{"id": 1}]', b""])
def test_what_is_no_list_changes_nothing(tmp_path: Path, content: bytes) -> None:
    """What is no price list changes nothing: the list in use stays, and no half-written file is left."""
    source, target = tmp_path / "data.json", tmp_path / "prices.json"
    source.write_bytes(content)
    target.write_bytes(LIST)
    with pytest.raises(BadRequest, match="nothing was changed"):
        prices.update(str(source), target)
    assert target.read_bytes() == LIST
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.json", "prices.json"]


def test_a_source_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """A file or an address that can't be read is named in the error."""
    with pytest.raises(BadRequest, match=r"gone\.json"):
        prices.update(str(tmp_path / "gone.json"), tmp_path / "prices.json")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        prices.update("http://127.0.0.1:9/data.json", tmp_path / "prices.json")
