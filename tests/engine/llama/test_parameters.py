"""What llama.cpp is handed: every option arrives, and what it would abort on is refused by name."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from gateway.engine.llama.bindings import C
from gateway.engine.llama.faults import LoadFault
from gateway.engine.llama.model import Model
from gateway.engine.llama.parameters import ModelParameters, context_parameters, problem_of
from gateway.engine.scheduler.step import Row
from gateway.engine.settings import EngineSettings
from gateway.settings.llama import LlamaOptions
from tests.engine.tiny import write_encoder, write_lora
from tests.standins.machine import repack_works

SETTINGS = EngineSettings(model="/nowhere.gguf")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"micro_batch": 20_000}, "'micro_batch' is 20000"),
        ({"cpu_moe_layers": -1}, "'cpu_moe_layers'"),
        ({"main_gpu": 999}, "'main_gpu'"),
        ({"tensor_split": (1.0,) * 300}, "'tensor_split'"),
        ({"tensor_split": (0.0,)}, "one above zero"),
        ({"tensor_split": (-1.0, 3.0)}, "not negative"),
        ({"tensor_split": (float("nan"),)}, "not negative"),
        ({"kv_type_v": "q8_0", "flash_attention": "off"}, "needs 'flash_attention'"),
        ({"split_mode": "tensor", "flash_attention": "off"}, "needs 'flash_attention'"),
        ({"direct_io": True, "mlock": True}, "exclude each other"),
        ({"yarn_orig_ctx": -1}, "'yarn_orig_ctx'"),
        ({"lora": (("a.gguf", 1.0),) * 17}, "'lora'"),
    ],
)
def test_what_can_not_be_is_refused_by_name(changes: dict[str, object], says: str) -> None:
    """A setting that llama.cpp would abort on is refused by name before llama.cpp sees it."""
    assert says in problem_of(msgspec.structs.replace(SETTINGS, **changes), 1)
    assert problem_of(SETTINGS, 1) == ""


def test_the_configuration_has_the_engines_names_and_defaults() -> None:
    """A default that a user reads in the configuration is the one that the engine uses."""
    defaults = LlamaOptions()
    assert {name: getattr(defaults, name) for name in LlamaOptions.model_fields} == {
        name: getattr(SETTINGS, name) for name in LlamaOptions.model_fields
    }


def test_options_arrive() -> None:
    """Each option arrives at its own place in llama.cpp's structures."""
    changes = {
        "gpu_layers": 7, "split_mode": "row", "main_gpu": 1, "tensor_split": (3.0, 1.0), "mlock": True, "repack": False,
        "check_tensors": True, "cpu_moe_layers": 2, "batch": 1024, "micro_batch": 256, "flash_attention": "on",
        "kv_type_k": "q8_0", "kv_type_v": "q4_0", "kv_offload": False, "op_offload": False, "swa_full": False,
        "rope_scaling": "yarn", "rope_freq_base": 5e5, "rope_freq_scale": 0.5, "yarn_ext_factor": 1.0,
        "yarn_attn_factor": 2.0, "yarn_beta_fast": 32.0, "yarn_beta_slow": 1.5, "yarn_orig_ctx": 4096,
    }  # fmt: skip
    settings = msgspec.structs.replace(SETTINGS, **changes)
    model = ModelParameters(settings, C.llama_progress_callback(lambda part, _: True))
    given = model.handle
    assert (given.n_gpu_layers, given.split_mode, given.main_gpu, given.load_mode) == (7, 2, 1, 3)
    assert (given.use_extra_bufts, given.check_tensors) == (False, True)
    assert [given.tensor_split[card] for card in range(2)] == [3.0, 1.0]
    assert [row.pattern for row in model.overrides] == [
        rb"blk\.0\.ffn_(up|down|gate|gate_up)_(ch|)exps",
        rb"blk\.1\.ffn_(up|down|gate|gate_up)_(ch|)exps",
        None,
    ]
    context = context_parameters(settings, 3)
    assert (context.n_batch, context.n_ubatch, context.n_threads, context.flash_attn_type) == (1024, 256, 3, 1)
    assert (context.type_k, context.type_v) == (8, 2)
    assert (context.offload_kqv, context.op_offload, context.swa_full) == (False, False, False)
    assert (context.rope_scaling_type, context.rope_freq_base, context.rope_freq_scale) == (2, 5e5, 0.5)
    yarn = (context.yarn_ext_factor, context.yarn_attn_factor, context.yarn_beta_fast, context.yarn_beta_slow)
    assert yarn == (1.0, 2.0, 32.0, 1.5)
    assert context.yarn_orig_ctx == 4096


def logits_of(settings: EngineSettings) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """After a short prompt."""
    model = Model(settings, threads=1)
    tokens = model.vocabulary.tokenize("The capital of France is", add_special=True, parse_special=False)
    found = model.decode([Row(slot=0, position=0, tokens=tokens, outputs=1)])[0].copy()
    model.close()
    return found


@pytest.mark.model
@pytest.mark.parametrize(
    "changes",
    [
        {"kv_type_k": "q8_0", "kv_type_v": "q8_0"},
        {"micro_batch": 2},
        {"cpu_moe_layers": 999},
        {"numa": "distribute"},
        {"mmap": False},
        {"direct_io": True},
        {"rope_scaling": "yarn", "rope_freq_scale": 1.0, "yarn_orig_ctx": 8192},
        {"flash_attention": "off"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_options_change_how_not_what(changes: dict[str, object], starter: Path) -> None:
    """A real model loads with each of these options and gives its usual answer."""
    settings = EngineSettings(model=str(starter), repack=repack_works(), context=64, slots=1, batch=32)
    plain = logits_of(settings)
    assert logits_of(msgspec.structs.replace(settings, **changes)).argmax() == plain.argmax()


@pytest.mark.model
def test_an_adapter_changes_the_answer(starter: Path, tmp_path: Path) -> None:
    """An adapter changes the answer unless its scale is 0; one for another model is refused, named only in the log."""
    settings = EngineSettings(model=str(starter), repack=repack_works(), context=64, slots=1, batch=32)
    adapter = str(write_lora(tmp_path / "adapter.gguf", heads_width=576))
    plain = logits_of(settings)
    changed = logits_of(msgspec.structs.replace(settings, lora=((adapter, 1.0),)))
    assert np.abs(changed - plain).max() > 0.5
    silent = logits_of(msgspec.structs.replace(settings, lora=((adapter, 0.0),)))
    assert np.abs(silent - plain).max() < 1e-3
    for other in (
        write_lora(tmp_path / "wide.gguf", width=64),
        write_lora(tmp_path / "foreign.gguf", architecture="qwen3"),
        write_encoder(tmp_path / "model.gguf", 1),
        tmp_path / "missing.gguf",
    ):
        with pytest.raises(LoadFault, match=other.name) as caught:
            Model(msgspec.structs.replace(settings, lora=((str(other), 1.0),)), threads=1)
        assert str(tmp_path) not in caught.value.public
