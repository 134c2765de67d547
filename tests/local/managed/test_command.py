"""Placeholders in command lines, and which variables a server gets."""

from pathlib import Path

import pytest

from gateway.local.managed.command import command_line, environment, found, unknown_placeholders
from gateway.local.managed.settings import ServerSettings


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{port}", "8099"),
        ("http://{host}:{port}", "http://127.0.0.1:8099"),
        ("{models}/{model}.gguf", "/models/qwen.gguf"),
        ("--key={key}", "--key=s3cret"),
        ("{{port}}", "{port}"),
        ('{"enable_thinking":false}', '{"enable_thinking":false}'),
        ('{"a":{"b":1}}', '{"a":{"b":1}}'),
        ("{Port} {} { port }", "{Port} {} { port }"),
    ],
)
def test_placeholders_are_filled_and_other_braces_stay(text: str, filled: str) -> None:
    """JSON in an argument is no placeholder."""
    settings = ServerSettings(command=("x", text), model="qwen", models_directory="/models")
    assert command_line(settings, port=8099, key="s3cret") == ["x", filled]
    assert unknown_placeholders([text]) == []


def test_unknown_placeholders_are_named_once() -> None:
    """A mistyped word is found before the server is started with it."""
    assert unknown_placeholders(["{prot}", "{port}", "{prot} {kye}"]) == ["prot", "kye"]


def test_few_variables_are_handed_on() -> None:
    """What programs and drivers need, and never a key, also where its name begins like theirs."""
    ours = {"PATH": "/bin", "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "1", "OPENAI_API_KEY": "k", "ADUANA_KEY": "k"}
    ours |= dict.fromkeys(
        (
            "NVIDIA_API_KEY",
            "NVIDIA_NGC_TOKEN",
            "LANGFUSE_SECRET_KEY",
            "LANGCHAIN_API_KEY",
            "HOMEASSISTANT_TOKEN",
            "TZDB",
        ),
        "k",
    )
    settings = ServerSettings(command=("x",), environment={"LLAMA_API_KEY": "{key}", "PATH": "/opt/bin:/bin"})
    assert environment(settings, ours, port=1, key="s3cret") == {
        "PATH": "/opt/bin:/bin", "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "1", "LLAMA_API_KEY": "s3cret",
    }  # fmt: skip


def test_a_program_is_looked_for_where_it_would_be_started(tmp_path: Path) -> None:
    """By the PATH of the server, or below its directory."""
    program = tmp_path / "serve"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    ours = {"PATH": "/bin"}
    assert found(ServerSettings(command=("sh",)), ours)
    assert not found(ServerSettings(command=("serve",)), ours)
    assert found(ServerSettings(command=("serve",), environment={"PATH": str(tmp_path)}), ours)
    assert found(ServerSettings(command=("./serve",), directory=str(tmp_path)), ours)
    assert found(ServerSettings(command=(str(program),)), ours)
    program.chmod(0o644)
    assert not found(ServerSettings(command=(str(program),)), ours)
