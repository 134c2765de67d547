"""Settings of servers that the gateway starts: what is refused, and what is told."""

from pathlib import Path

import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.core.request import Endpoint
from gateway.core.yaml_source import parse_yaml
from gateway.settings import Settings
from gateway.settings.managed import ManagedTargetConfig
from gateway.settings.settings import settings_from


def read(text: str, file: str = "a.yaml") -> Settings:
    """Settings with one such target."""
    return settings_from(parse_yaml(f"targets:\n  p:\n    kind: server\n    model: m\n    {text}\n", file))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('command: [x, "{port}", "{foo}"]', "a.yaml:5:5: targets.p.command: {foo} stands for nothing here"),
        ('command: [x, "{port}"]\n    env: {A: "{bar}"}', "a.yaml:6:5: targets.p.env: {bar} stands for nothing here"),
        ('command: "x --port {port}"', "write the command as a list"),
        ("command: []", "it is empty: name the program"),
        ("command: [x]", "neither 'command' nor 'env' has {port}"),
        ('command: [x, "{port}"]\n    gpu_memory: 5 GB', "'gpu_memory' is a part of 'memory'"),
        ('command: [x, "{port}"]\n    memory: 1 GB\n    gpu_memory: 5 GB', "'gpu_memory' is a part of 'memory'"),
        ('command: [x, "{port}"]\n    env: {"a b": x}', "a variable's name has letters, digits and '_'"),
        ('command: [x, "{port}"]\n    health: health', "write a path that begins with '/'"),
        ('command: [x, "{port}"]\n    endpoints: [tokenize]', "tokenize: only embedded models"),
        ('command: [x, "{port}"]\n    api: comfyui', "'workflow' belongs to 'api: comfyui'"),
        ('command: [x, "{port}"]\n    api: a1111\n    endpoints: [chat]', "makes pictures alone"),
        ('command: [x, "{port}"]\n    cwt: /', "Did you mean 'cwd'?"),
        ('command: [x, "{port}"]\n    base_url: http://x', "'targets.p.base_url' is not a setting"),
    ],
)
def test_what_can_not_be_meant_is_refused(text: str, says: str) -> None:
    """Each mistake is named with its place."""
    with pytest.raises(ConfigurationError) as error:
        read(text)
    assert says in error.value.message


def test_a_model_in_ollamas_cloud_is_no_server_here() -> None:
    """Whoever starts Ollama: what it passes on is not local."""
    text = 'targets:\n  p: {kind: server, model: "gpt-oss:120b-cloud", command: [ollama, serve, "{port}"]}\n'
    with pytest.raises(ConfigurationError, match="runs in Ollama's cloud"):
        settings_from(parse_yaml(text, "a.yaml"))


def test_what_the_policy_sees_of_it() -> None:
    """A local target that may have everything, unless its owner says less."""
    settings = read('command: [x, "{port}", 5, \'{"a":{"b":1}}\']\n    ceiling: internal\n    context: 4096')
    info = settings.catalog().targets["p"]
    assert (info.kind, info.zone, info.ceiling, info.context) == ("server", Zone.LOCAL, Label.INTERNAL, 4096)
    assert info.endpoints == {Endpoint.CHAT, Endpoint.COMPLETIONS}
    assert read('command: [x, "{port}"]').catalog().targets["p"].ceiling is Label.SENSITIVE


def test_paths_count_from_the_file(tmp_path: Path) -> None:
    """Wherever the gateway was started."""
    config = read('command: [x, "{port}"]\n    cwd: tools\n    log: p.log', str(tmp_path / "a.yaml")).targets["p"]
    assert isinstance(config, ManagedTargetConfig)
    assert (config.cwd, config.log) == (tmp_path / "tools", tmp_path / "p.log")
