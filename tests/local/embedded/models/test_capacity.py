"""What models need is known before they are loaded, and what can never be held is told."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.app.models.plan import planned
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded.models import capacity
from gateway.local.embedded.models.capacity import plan_models
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.settings import load_settings
from tests.engine.tiny import write_encoder, write_lora
from tests.standins.gateway import starter_models
from tests.standins.machine import starter


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A small model."""
    return str(write_encoder(tmp_path / "m.gguf", 4))


def test_a_draft_model_counts_too(file: str) -> None:
    """A draft model lies beside the model that it drafts for, so both count."""
    rooms = {
        "one": EmbeddedSettings(model=file, context=128),
        "both": EmbeddedSettings(model=file, context=128, draft_model=file),
    }
    footprints = plan_models(rooms, memory=None, gpu_memory=None).footprints
    assert footprints["both"].total == 2 * footprints["one"].total > 10**6


def test_adapters_count_too(file: str, tmp_path: Path) -> None:
    """Adapters count by their size; one that is missing is told when its model is loaded."""
    adapter = write_lora(tmp_path / "adapter.gguf")
    plain = EmbeddedSettings(model=file, context=128)
    rooms = {
        "one": plain,
        "adapted": msgspec.structs.replace(plain, lora=((str(adapter), 1.0), (str(tmp_path / "none.gguf"), 1.0))),
        "drafted": msgspec.structs.replace(plain, lora=((str(adapter), 1.0),), draft_model=file),
    }
    footprints = plan_models(rooms, memory=None, gpu_memory=None).footprints
    assert footprints["adapted"].weights - footprints["one"].weights == adapter.stat().st_size > 0
    assert footprints["drafted"].weights - 2 * footprints["one"].weights == adapter.stat().st_size


def test_a_projector_counts_once(file: str, tmp_path: Path) -> None:
    """A projector for pictures counts by its file, and no second time beside a draft model; a missing one counts 0."""
    projector = tmp_path / "mmproj.gguf"
    projector.write_bytes(bytes(1_000_000))
    plain = EmbeddedSettings(model=file, context=128)
    drafted = msgspec.structs.replace(plain, draft_model=file)
    rooms = {
        "plain": plain,
        "eyes": msgspec.structs.replace(plain, mmproj=str(projector)),
        "drafted": drafted,
        "drafted eyes": msgspec.structs.replace(drafted, mmproj=str(projector)),
        "blind": msgspec.structs.replace(plain, mmproj=str(tmp_path / "none.gguf")),
    }
    needs = plan_models(rooms, memory=None, gpu_memory=None).footprints
    assert needs["eyes"].weights - needs["plain"].weights == 1_500_000
    assert needs["drafted eyes"].weights - needs["drafted"].weights == 1_500_000
    assert needs["blind"] == needs["plain"]


@pytest.mark.parametrize(
    ("changes", "on_card"),
    [({}, 1_500_000), ({"gpu_layers": 2}, 1_500_000), ({"mmproj_offload": False}, 0), ({"gpu_layers": 0}, 0)],
    ids=["whole model there", "a few layers there", "mmproj_offload: false", "no layers there"],
)
def test_where_a_projector_lies(
    changes: dict[str, Any], on_card: int, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A projector is on the card as a whole, unless the configuration keeps it or the model off."""
    monkeypatch.setattr(capacity, "can_use_gpu", lambda: True)
    projector = tmp_path / "mmproj.gguf"
    projector.write_bytes(bytes(1_000_000))
    plain = EmbeddedSettings(model=file, context=128, **changes)
    rooms = {"plain": plain, "eyes": msgspec.structs.replace(plain, mmproj=str(projector))}
    needs = plan_models(rooms, memory=None, gpu_memory=None).footprints
    assert needs["eyes"].gpu - needs["plain"].gpu == on_card


@pytest.mark.model
def test_room_for_vectors_beside_answers(file: str) -> None:
    """A generating model takes a second window for them, which grows with the first; a ranking model has only one."""

    def extra(model: str, context: int) -> MemoryFootprint:
        rooms = {"m": EmbeddedSettings(model=model, context=context, slots=2, kv_type_k="q8_0", kv_type_v="q8_0")}
        plain, more = (
            plan_models(rooms, memory=None, gpu_memory=None, vectors=vectors).footprints["m"]
            for vectors in ((), ("m",))
        )
        return MemoryFootprint(
            weights=more.weights - plain.weights, cache=more.cache - plain.cache, compute=more.compute - plain.compute
        )

    assert extra(file, 128).total == 0
    assert extra(str(starter()), 8192).cache == pytest.approx(8192 * 23_040, rel=0.01)  # f16, whatever `kv_type` says
    assert extra(str(starter()), 8192).weights == 0
    assert 100 * 2**20 < extra(str(starter()), 8192).compute < 200 * 2**20  # 109 MB were seen


@pytest.mark.model
def test_which_targets_get_room_for_vectors(tmp_path: Path) -> None:
    """Targets that say so get memory for vectors; a chat model that only could is not charged for it."""
    text = "models_dir: {}\ntargets:\n  chat: {{kind: embedded, model: m}}\n  both: {{kind: embedded, model: m, {}}}\n"
    starter_models(tmp_path).joinpath("smollm2.gguf").rename(tmp_path / "m.gguf")
    config = tmp_path / "aduana.yaml"
    config.write_text(text.format(tmp_path, "endpoints: [chat, embeddings]"))
    footprints = planned(load_settings(config)).footprints
    assert footprints["both"].cache > footprints["chat"].cache


def test_a_file_that_can_not_be_read_stops_nobody(file: str, tmp_path: Path) -> None:
    """A file that can't be read needs nothing here: its own target says so when it is asked to load."""
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    rooms = {"bad": EmbeddedSettings(model=str(tmp_path / "bad.gguf")), "good": EmbeddedSettings(model=file)}
    plan = plan_models(rooms, memory=10**9, gpu_memory=None)
    assert plan.footprints["bad"].total == 0
    assert plan.problems() == []


def test_what_can_never_be_held(file: str) -> None:
    """What never fits is told: alone, or together at start; models on demand only have to fit alone."""
    rooms = {name: EmbeddedSettings(model=file, context=128) for name in ("a", "b")}
    size = plan_models(rooms, memory=None, gpu_memory=None).footprints["a"].total
    alone = plan_models(rooms, memory=size - 1, gpu_memory=None).problems()
    assert [problem.split(":")[0] for problem in alone] == ["targets.a", "targets.b"]
    (together,) = plan_models(rooms, memory=2 * size - 1, gpu_memory=None).problems()
    assert "at start (a, b)" in together
    assert "load: on_demand" in together
    later = {name: EmbeddedSettings(model=file, context=128, load="on_demand") for name in rooms}
    assert plan_models(later, memory=2 * size - 1, gpu_memory=None).problems() == []
