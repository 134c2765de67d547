"""Measurements of a worker that outlive it: used again where they hold, and nowhere else."""

from pathlib import Path

import pytest

from gateway.engine.messages import StepCosts
from gateway.engine.settings import EngineSettings
from gateway.local.embedded.process.step_costs import StepCostStore

COSTS = StepCosts(threads=2, batches={1: 0.01, 2: 0.03}, drafts={2: 0.004})
DAY = 86_400.0


def settings(folder: Path, **changes: object) -> EngineSettings:
    """Settings of a model file in this folder."""
    model = folder / "m.gguf"
    if not model.exists():
        model.write_bytes(b"GGUF")
    return EngineSettings(model=str(model), **changes)  # type: ignore[arg-type]


async def test_a_measurement_is_known_at_the_next_start_for_a_week(tmp_path: Path) -> None:
    """Another process with the same file finds it; after a week the worker measures again."""
    file, now = tmp_path / "engine" / "step-costs.json", [0.0]
    await StepCostStore(file, wall=lambda: now[0]).keep(settings(tmp_path), COSTS)
    again = StepCostStore(file, wall=lambda: now[0])
    assert await again.known(settings(tmp_path)) == COSTS
    now[0] = 6 * DAY
    assert await again.known(settings(tmp_path)) == COSTS
    now[0] = 8 * DAY
    assert await again.known(settings(tmp_path)) is None


async def test_what_holds_for_one_model_and_settings_holds_for_no_others(tmp_path: Path) -> None:
    """Other slots, other kernels or a changed file: measured anew."""
    store = StepCostStore(tmp_path / "step-costs.json")
    await store.keep(settings(tmp_path), COSTS)
    assert await store.known(settings(tmp_path, slots=2)) is None
    assert await store.known(settings(tmp_path, repack=False)) is None
    (tmp_path / "m.gguf").write_bytes(b"GGUF of another length")
    assert await store.known(settings(tmp_path)) is None


@pytest.mark.parametrize("content", [b"", b"{}", b'[{"key": 1}]', b"\xff"])
async def test_a_broken_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    """It keeps no worker from starting, and is written anew."""
    file = tmp_path / "step-costs.json"
    file.write_bytes(content)
    store = StepCostStore(file)
    assert await store.known(settings(tmp_path)) is None
    await store.keep(settings(tmp_path), COSTS)
    assert await store.known(settings(tmp_path)) == COSTS
