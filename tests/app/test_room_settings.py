"""What the configuration says of picture servers and of limits, as rooms are told it."""

import json
from pathlib import Path

import pytest

from gateway.app.room_settings import http_settings, ledger_settings, limit_table
from gateway.core.errors import ConfigurationError
from gateway.core.limits import Limits
from gateway.core.request import Endpoint
from gateway.settings import load_settings
from gateway.settings.servers import OpenAITargetConfig

GOOD = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "{prompt}"}}}


def painter(folder: Path, fields: str) -> OpenAITargetConfig:
    """Return the target of a configuration beside which a workflow lies."""
    file = folder / "aduana.yaml"
    file.write_text(f"targets: {{painter: {{kind: openai, model: m, {fields}}}}}")
    target = load_settings(file).targets["painter"]
    assert isinstance(target, OpenAITargetConfig)
    return target


def test_a_workflow_is_read_from_beside_the_configuration(tmp_path: Path) -> None:
    """Its path counts from the configuration's folder, and such a target makes pictures alone."""
    (tmp_path / "work.json").write_text(json.dumps(GOOD))
    target = painter(tmp_path, 'zone: local, base_url: "http://127.0.0.1:8188", api: comfyui, workflow: work.json')
    assert target.effective_endpoints == {Endpoint.IMAGES}
    workflow = http_settings(target).workflow
    assert workflow is not None
    assert workflow.keys() == {"6"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read"),
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ('{"nodes": []}', "Export"),
        (json.dumps({"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a dog"}}}), r"no place \{prompt\}"),
    ],
)
def test_a_workflow_that_can_not_be_used_stops_the_start(tmp_path: Path, content: str | None, words: str) -> None:
    """The error names the file, and what to do."""
    if content is not None:
        (tmp_path / "work.json").write_text(content)
    target = painter(tmp_path, 'zone: local, base_url: "http://127.0.0.1:8188", api: comfyui, workflow: work.json')
    with pytest.raises(ConfigurationError, match=words) as error:
        http_settings(target)
    assert "work.json" in str(error.value)


@pytest.mark.parametrize(
    "fields",
    [
        'zone: cloud, base_url: "https://a.example", api: a1111',
        'zone: local, base_url: "http://127.0.0.1:1", api: a1111, endpoints: [chat, images]',
        'zone: local, base_url: "http://127.0.0.1:1", api: comfyui',
        'zone: local, base_url: "http://127.0.0.1:1", api: a1111, workflow: work.json',
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, fields: str) -> None:
    """No cloud is asked in these APIs, they answer no chats, and a workflow is ComfyUI's."""
    with pytest.raises(ConfigurationError):
        painter(tmp_path, fields)


def test_limits_are_told_from_wherever_they_stand(tmp_path: Path) -> None:
    """Beside a key's secret, below `limits.keys` or as `keys_usd` is the same, and `default` is nobody's name."""
    file = tmp_path / "aduana.yaml"
    file.write_text(
        "keys: {a: {secret: env:A, limits: {parallel: 1}}, b: {secret: env:B}}\n"
        "limits: {keys: {b: {parallel: 2}, default: {parallel: 3}}, targets: {default: {usd_day: 0}}}\n"
        "budgets: {keys_usd: {a: 4, c: 5}}\n"
    )
    settings = load_settings(file)
    table = limit_table(settings)
    assert table.keys == {
        "a": Limits(parallel=1, usd_month=4.0),
        "b": Limits(parallel=2),
        "c": Limits(usd_month=5.0),
    }
    assert table.targets == {"home": Limits(usd_day=0.0)}
    assert (table.any_key, table.any_user) == (Limits(parallel=3), Limits())
    assert ledger_settings(settings, frozenset()).limits_usd == {"key:a": 4.0, "key:c": 5.0, "target_day:home": 0.0}
