"""Windows and slots that are left to the machine: as much as its memory holds, in an order that people can foresee."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.engine.llama.gguf import Header
from gateway.engine.llama.memory import SpareMemory
from gateway.local.embedded.models import capacity
from gateway.local.embedded.models.capacity import plan_models
from gateway.local.embedded.models.plan import ModelPlan
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.models.eviction import LoadedModel, plan_eviction

GB = 10**9
ROOMS: dict[str, Any] = {"fit_context": True, "fit_slots": True}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model of 9 GB whose KV cache takes 164 KB a token, as Qwen3-14B; only its header is there."""
    values = {
        "block_count": 40,
        "context_length": 40_960,
        "embedding_length": 5120,
        "attention.head_count": 40,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "feed_forward_length": 17_408,
    }
    path = tmp_path / "m.gguf"
    with path.open("wb") as file:
        file.truncate(9 * GB)  # a hole: takes no room
    metadata = {"general.architecture": "qwen3"} | {f"qwen3.{key}": value for key, value in values.items()}
    header = Header(metadata=metadata, tensors=1, size=1, parts=(path,))
    monkeypatch.setattr(capacity, "read_header", lambda path: header)
    return str(path)


def planned(model: str, *, spare: SpareMemory, targets: int = 1, **changes: Any) -> ModelPlan:
    """Plan one model, or the same one several times."""
    limits = {name: changes.pop(name, None) for name in ("memory", "gpu_memory")}
    room = EmbeddedSettings(model=model, **(ROOMS | changes))
    return plan_models({f"t{number}": room for number in range(targets)}, spare=spare, **limits)


def chosen(plan: ModelPlan) -> list[tuple[int, int]]:
    """Slots and window of each target."""
    return [(room.slots, room.context) for room in plan.settings.values()]


# GB of RAM that may be taken → slots and window, in falling order of preference.
IN_RAM = {
    64.0: (4, 32_768),
    30.0: (6, 16_384),
    24.0: (4, 16_384),
    19.0: (6, 8_192),
    16.0: (4, 8_192),
    14.0: (3, 8_192),
    12.5: (2, 8_192),
    11.0: (1, 8_192),
    10.2: (1, 4_096),
    3.0: (1, 512),
}


@pytest.mark.parametrize("ram", IN_RAM)
def test_what_is_chosen_for_a_machine(ram: float, model: str) -> None:
    """Eight, six, four slots before a narrower window, and fewer than four slots only once it is 8,192 tokens."""
    plan = planned(model, spare=SpareMemory(ram=int(ram * GB)))
    assert chosen(plan) == [IN_RAM[ram]]
    assert plan.footprints["t0"].total <= ram * GB or ram < 10


@pytest.mark.parametrize("limit", ["memory", "spare"])
def test_a_budget_and_free_memory_bound_alike(limit: str, model: str) -> None:
    """`engine.memory` is kept to where more is free, and what is free where more is allowed."""
    free, allowed = (64, 19) if limit == "memory" else (19, 64)
    assert chosen(planned(model, spare=SpareMemory(ram=free * GB), memory=allowed * GB)) == [(6, 8_192)]


def test_numbers_that_a_person_wrote_stay(model: str) -> None:
    """A number is used as it is, fits or not; only what is left open is chosen."""
    little = SpareMemory(ram=16 * GB)
    assert chosen(planned(model, spare=little, fit_context=False, fit_slots=False, context=16_384, slots=8)) == [
        (8, 16_384)
    ]
    assert chosen(planned(model, spare=little, fit_context=False, context=16_384)) == [(2, 16_384)]
    assert chosen(planned(model, spare=little, fit_slots=False, slots=8)) == [(8, 4_096)]


def test_nobody_knows_the_memory(model: str) -> None:
    """Where the system does not say what is free, the usual size is taken."""
    assert chosen(planned(model, spare=SpareMemory())) == [(8, 8_192)]


# Tokens that a model was trained for → the window. 2**60: the header lies.
TRAINED = {128: 128, 511: 511, 512: 512, 40_960: 32_768, 0: 8_192, 2**60: 8_192}


@pytest.mark.parametrize("trained", TRAINED)
def test_no_window_goes_beyond_what_a_model_was_trained_for(
    trained: int, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of short texts, such as an encoder, gets its own window, and one that does not say it the usual one."""
    header = capacity.read_header(Path(model))
    told = msgspec.structs.replace(header, metadata={**header.metadata, "qwen3.context_length": trained})
    monkeypatch.setattr(capacity, "read_header", lambda path: told)
    assert [window for _, window in chosen(planned(model, spare=SpareMemory(ram=900 * GB)))] == [TRAINED[trained]]


def test_a_card(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a card the card's memory counts, and a window may be as wide as the model was trained for."""
    monkeypatch.setattr(capacity, "can_use_gpu", lambda: True)
    assert chosen(planned(model, spare=SpareMemory(ram=2 * GB, gpu=23 * GB))) == [(4, 20_480)]
    assert chosen(planned(model, spare=SpareMemory(ram=2 * GB, gpu=140 * GB))) == [(8, 40_960)]
    assert chosen(planned(model, spare=SpareMemory(ram=64 * GB))) == [(8, 8_192)]  # a card that nobody can ask


def test_models_that_load_together_share(model: str) -> None:
    """Two models share what there is, and neither takes all of it."""
    two = planned(model, spare=SpareMemory(ram=40 * GB), targets=2)
    assert chosen(two) == [(4, 16_384), (4, 16_384)]
    assert sum(need.total for need in two.footprints.values()) <= 40 * GB


def test_models_that_make_room_for_each_other_need_not_share(model: str) -> None:
    """With `engine.memory`, models on demand that don't fit together get all of it in turn; without, nobody goes."""
    spare = SpareMemory(ram=64 * GB)
    alone = planned(model, spare=spare, targets=3, memory=22 * GB, load="on_demand")
    assert chosen(alone) == [(4, 16_384)] * 3
    shared = planned(model, spare=SpareMemory(ram=30 * GB), targets=3, load="on_demand")
    assert sum(need.total for need in shared.footprints.values()) <= 30 * GB


@pytest.mark.parametrize("load", ["start", "on_demand"])
def test_a_model_that_got_all_of_a_card_has_it_alone(load: str, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget for all memory is wider than the card: what was free there is kept to as well, so one makes room."""
    monkeypatch.setattr(capacity, "can_use_gpu", lambda: True)
    rooms = {
        name: EmbeddedSettings(model=model, load=when, **ROOMS) for name, when in (("a", load), ("b", "on_demand"))
    }
    spare = SpareMemory(ram=64 * GB, gpu=23 * GB)
    plan = plan_models(rooms, memory=60 * GB, gpu_memory=None, spare=spare)
    assert chosen(plan) == [(4, 20_480)] * 2
    assert not plan.problems()
    first = LoadedModel(name="a", footprint=plan.footprints["a"], working=False, used=0.0)
    assert plan_eviction(plan.footprints["b"], [first], plan.limits).evict == ("a",)


@pytest.mark.parametrize("load", ["start", "on_demand"])
def test_what_was_free_refuses_no_model(load: str, model: str) -> None:
    """Models that need more than was free are within the configured budget, so they may try, alone or at start."""
    plan = planned(model, spare=SpareMemory(ram=8 * GB), targets=2, memory=60 * GB, load=load)
    assert not plan.problems()
    assert plan_eviction(plan.footprints["t0"], [], plan.limits).possible


def test_where_no_model_makes_room_what_was_free_is_no_limit(model: str) -> None:
    """Without a budget no model goes for another one, whatever was free when the sizes were chosen."""
    plan = planned(model, spare=SpareMemory(ram=30 * GB), targets=2, load="on_demand")
    first = LoadedModel(name="t0", footprint=plan.footprints["t0"], working=False, used=0.0)
    assert plan_eviction(plan.footprints["t1"], [first, first], plan.limits).evict == ()
