"""The memory of sequences is estimated as llama.cpp allocates it, for each kind of memory."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gateway.engine.llama.bindings import C, keep_log
from gateway.engine.llama.cache_size import cache_shape
from gateway.engine.llama.draft_plan import draft_plan
from gateway.engine.llama.footprint import footprint_of
from gateway.engine.llama.gguf import Header, Value, read_header
from gateway.engine.llama.model import Model
from gateway.engine.settings import EngineSettings
from tests.engine.architectures import writers

SIZE = re.compile(r"(?:llama_kv_cache|llama_memory_recurrent): size = +([\d.]+) MiB")
CASES: dict[str, tuple[Callable[[Path], Path], dict[str, object]]] = {
    "attention": (writers.write_llama, {}),
    "wider values": (writers.write_llama, {"kv_type_k": "f32", "kv_type_v": "f32"}),
    "sliding windows, whole": (writers.write_gemma3, {}),
    "sliding windows, cut": (writers.write_gemma3, {"swa_full": False}),
    "a running state": (writers.write_mamba, {}),
    "a running state that can be taken back": (writers.write_lfm2, {}),
    "a draft head": (writers.write_glm4moe, {}),
    "a draft head behind a running state": (partial(writers.write_qwen35, head=True), {}),
    "latent attention, and a draft head": (writers.write_deepseek2, {}),
}


@pytest.mark.model
@pytest.mark.parametrize("case", CASES)
def test_the_estimate_is_what_llama_cpp_allocates(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and values of all positions, only the window where it slides, and the states of each sequence."""
    write, changes = CASES[case]
    path = write(tmp_path / "m.gguf")
    sizes = {"context": 4096, "slots": 16, "threads": 1, "repack": False, "batch": 64}
    settings = EngineSettings(model=str(path), **(sizes | changes))  # type: ignore[arg-type]
    lines: list[bytes] = []
    listen = C.llama_log_callback(lambda level, text, data: lines.append(text))
    hear = C.llama_log_set
    monkeypatch.setattr(C, "llama_log_set", lambda callback, data: hear(listen, data))
    try:
        Model(settings, 1, drafts=draft_plan(read_header(path), settings)).close()
    finally:
        monkeypatch.undo()
        keep_log()
    allocated = sum(float(size) for size in SIZE.findall(b"".join(lines).decode())) * 2**20
    overhead = 48 * settings.context * settings.slots  # kept beside the tensors, so not in those lines
    estimated = footprint_of(read_header(path), settings).cache
    assert allocated > 0
    assert estimated - overhead == pytest.approx(allocated, rel=0.01, abs=6000)


def header(architecture: str, **values: Value) -> Header:
    """A header of 48 layers, 2,048 wide, with 16 heads of 128 numbers and 2 for keys and values."""
    usual: dict[str, Value] = {
        "block_count": 48,
        "embedding_length": 2048,
        "attention.head_count": 16,
        "attention.head_count_kv": 2,
        "attention.key_length": 128,
        "attention.value_length": 128,
    }
    named = {f"{architecture}.{key.replace('__', '.')}": value for key, value in (usual | values).items()}
    return Header(metadata={"general.architecture": architecture} | named, tensors=1, size=1, parts=())


LAYER = 2 * 128 * 2 * 2  # bytes of a position in one layer: two heads, keys and values, f16
SSM: dict[str, Value] = {
    "ssm__conv_kernel": 4,
    "ssm__inner_size": 4096,
    "ssm__state_size": 128,
    "ssm__group_count": 16,
}
STATE = 4 * (3 * (4096 + 2 * 16 * 128) + 4096 * 128)
# name → header, bytes of a position in whole and in sliding layers, bytes of a sequence
SHAPES: dict[str, tuple[Header, int, int, int]] = {
    "dense": (header("qwen3"), 48 * LAYER, 0, 0),
    "Qwen's hybrid: every fourth layer attends": (header("qwen3next", **SSM), 12 * LAYER, 0, 36 * STATE),
    "its interval in the file": (header("qwen35", **SSM, full_attention_interval=8), 6 * LAYER, 0, 42 * STATE),
    "a hybrid that lists its layers": (
        header("granitehybrid", **SSM, attention__head_count_kv=(0,) * 40 + (2,) * 8),
        8 * LAYER,
        0,
        40 * STATE,
    ),
    "layers with neither": (
        header(
            "nemotron_h",
            **SSM,
            attention__head_count_kv=(0,) * 40 + (2,) * 8,
            feed_forward_length=(0,) * 20 + (100,) * 20 + (0,) * 8,
        ),
        8 * LAYER,
        0,
        20 * STATE,
    ),
    "both in every layer": (header("falcon-h1", **SSM), 48 * LAYER, 0, 48 * STATE),
    "short convolutions": (
        header("lfm2", shortconv__l_cache=3, attention__head_count_kv=(0,) * 32 + (2,) * 16),
        16 * LAYER,
        0,
        32 * 4 * 2 * 2048,
    ),
    "every second layer slides": (header("gpt-oss", attention__sliding_window=128), 24 * LAYER, 24 * LAYER, 0),
    "a pattern in the file": (
        header("gemma4", attention__sliding_window=512, attention__sliding_window_pattern=(True,) * 40 + (False,) * 8),
        8 * LAYER,
        40 * LAYER,
        0,
    ),
    "layers that share keys and values": (header("gemma4", attention__shared_kv_layers=18), 30 * LAYER, 0, 0),
    "latent attention": (
        header("deepseek2", attention__head_count_kv=1, attention__key_length=576, attention__key_length_mla=192),
        48 * 576 * 2,
        0,
        0,
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_of_models_that_are_too_large_for_a_test(name: str) -> None:
    """Where the memory of a model lies is read from its header alone."""
    given, position, sliding, state = SHAPES[name]
    shape = cache_shape(given, "f16", "f16")
    assert (shape.position - 48, shape.window_position, shape.state) == (position, sliding, state)


def test_windows_cost_nothing_beyond_their_length() -> None:
    """A hundred times the context, and the layers with a window take no more once `swa_full` is off."""
    shape = cache_shape(SHAPES["every second layer slides"][0], "f16", "f16")
    narrow, wide = (EngineSettings(model="m", context=size, swa_full=False, batch=128) for size in (1024, 102_400))
    more = shape.bytes(wide, 1) - shape.bytes(narrow, 1)
    assert more == (102_400 - 1024) * (24 * LAYER + 48)


def test_experts_in_ram_are_not_counted_on_the_card(tmp_path: Path) -> None:
    """`cpu_moe_layers` moves expert weights to RAM, so the card needs less."""
    path = tmp_path / "m.gguf"
    path.write_bytes(bytes(10_000))
    moe = header("qwen3moe")
    moe = Header(metadata=moe.metadata, tensors=1, size=10_000, experts=9_600, parts=(path,))
    all_there, half, none = (
        footprint_of(moe, EngineSettings(model="m", cpu_moe_layers=layers), gpu=True) for layers in (0, 24, 99)
    )
    assert all_there.gpu - half.gpu == 4_800
    assert all_there.gpu - none.gpu == 9_600
    assert all_there.total == half.total == none.total
