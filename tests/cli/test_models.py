"""`aduana models show`: what a model's memory can do, in words."""

from typing import Any

import pytest

from gateway.cli.models import tell
from gateway.core.errors import BadRequest


def report(**what: Any) -> dict[str, Any]:
    """What a gateway with one model answers."""
    model = {
        "target": "home", "model": "m", "state": "loaded", "progress": None, "memory": 0, "slots": 2, "context": 64,
        "busy": 0, "waiting": 0, "unloads_in": None, "gives_way": None, "sequences": "attention", "checkpoint_bytes": 0,
        "drafts": True, "draft_head": "", "problem": "", **what,
    }  # fmt: skip
    return {"models": [model], "memory": None, "memory_used": 0}


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({}, ["Memory of conversations: attention", "Draft tokens: yes"]),
        (
            {"sequences": "hybrid", "checkpoint_bytes": 75_000_000, "drafts": False},
            ["hybrid", "checkpoint before the change", "75.0 MB each", "Draft tokens: no"],
        ),
        ({"sequences": "sliding_window", "checkpoint_bytes": 1}, ["sliding window"]),
        ({"draft_head": "used"}, ["Draft head in the file: used."]),
        ({"draft_head": "It was not tried."}, ["Draft head in the file: not used. It was not tried."]),
        ({"sequences": None, "state": "idle"}, ["once it is loaded"]),
        ({"sequences": None}, ["makes no text"]),
    ],
)
def test_it_says_what_the_memory_can_do(
    what: dict[str, Any], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The kind of memory, its checkpoints and draft tokens are named."""
    assert tell(lambda method, path: report(**what), "show", "home", False) == 0
    printed = capsys.readouterr().out
    assert all(part in printed for part in expected)


def test_another_name_is_no_target() -> None:
    """A name that no target has is answered with those that there are."""
    with pytest.raises(BadRequest, match="There are: home"):
        tell(lambda method, path: report(), "show", "hoem", False)
