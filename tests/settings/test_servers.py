"""Targets with several servers: what a person writes, and what they are told when it is wrong."""

from pathlib import Path

import pytest

from gateway.app.room_settings import http_settings
from gateway.core.errors import ConfigurationError
from gateway.settings import Settings, load_settings
from gateway.settings.servers import OpenAITargetConfig


def load(folder: Path, target: str) -> Settings:
    """Read a configuration with one target."""
    path = folder / "aduana.yaml"
    path.write_text(f"targets:\n  den: {{kind: openai, model: qwen, {target}}}\n", encoding="utf-8")
    return load_settings(path)


def test_addresses_and_sections_stand_side_by_side(tmp_path: Path) -> None:
    """An address alone is called by its host and port, and weighs 1."""
    servers = 'servers: ["http://10.0.0.1:8000/v1", {base_url: "http://10.0.0.2:8000/v1", name: big, weight: 2}]'
    target = load(tmp_path, f"zone: local, {servers}").targets["den"]
    assert isinstance(target, OpenAITargetConfig)
    assert target.addresses == ("http://10.0.0.1:8000/v1", "http://10.0.0.2:8000/v1")
    found = [(one.name, one.weight) for one in http_settings(target).servers]
    assert found == [("10.0.0.1:8000", 1.0), ("big", 2.0)]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("zone: local", "'base_url' is missing"),
        ("zone: local, base_url: 'http://a/v1', servers: ['http://b/v1']", "exclude each other"),
        ("zone: cloud, servers: ['https://a.example/v1']", "'servers' is for zone local only"),
        ("zone: local, servers: ['http://a:1/v1', 'http://a:1/v1']", "two of 'servers' are called 'a:1'"),
        ("zone: local, servers: ['http://me:secret@a/v1']", r"without user name or password"),
        ("zone: local, servers: [{base_url: 'http://a/v1', weight: 0}]", "greater than or equal to 0.05"),
        (
            "zone: local, servers: [{base_url: 'http://a/v1', wieght: 2}]",
            "wieght' is not a setting. Did you mean 'weight'",
        ),
    ],
)
def test_a_mistake_is_told_in_words(tmp_path: Path, target: str, said: str) -> None:
    """With the file and the line, and never with a password that stands in an address."""
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, target)
    [problem] = caught.value.problems
    assert said in problem
    assert problem.startswith(f"{tmp_path / 'aduana.yaml'}:2:")
    assert "secret" not in problem
