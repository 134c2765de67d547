"""What `check`, `explain`, `diff` and `replay` share: the machine is measured once a command, and that is told."""

import json

import pytest

from gateway.cli import main
from gateway.engine.llama.memory import SpareMemory
from gateway.local.embedded.models import capacity
from tests.cli.house import record_three, write
from tests.engine.tiny import write_encoder
from tests.policy.house import SHAPE

TOLD = "windows for the memory that is free now (context: auto), in tokens: home "


@pytest.fixture
def arguments(config, tmp_path):
    """The arguments of each command, for a home target whose window is left to the machine."""
    model = write_encoder(tmp_path / "m.gguf", 1)
    text = config.read_text("utf-8").replace("model: smollm2, context: 8192, slots: 8", f"model: {model}")
    config.write_text(text, "utf-8")
    record_three(tmp_path / "state")
    policy = write(tmp_path, "p.yaml", SHAPE)
    case = write(tmp_path, "case.json", json.dumps({"given": {"model": "auto"}}))
    return {
        "check": ["check", policy],
        "explain": ["explain", case, "--policy", policy],
        "diff": ["diff", policy, "--policy", policy],
        "replay": ["replay", policy],
    }


@pytest.mark.parametrize("command", ["check", "explain", "diff", "replay"])
def test_windows_are_chosen_once_and_told(command, arguments, monkeypatch, capsys):
    """Free memory is measured once for a command, however many policies it reads, and what was chosen is shown."""
    measured = []
    monkeypatch.setattr(capacity, "spare_memory", lambda *, gpu: measured.append(gpu) or SpareMemory(ram=10**9))
    assert main(arguments[command]) == 0
    assert TOLD in capsys.readouterr().out
    assert len(measured) == 1


def test_windows_that_a_person_wrote_are_not_told(config, tmp_path, capsys):
    """With numbers in the configuration nothing depends on the machine, so nothing is said."""
    assert main(["check", write(tmp_path, "p.yaml", SHAPE)]) == 0
    assert TOLD not in capsys.readouterr().out
