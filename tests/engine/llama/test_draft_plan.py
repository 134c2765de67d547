"""Which draft heads are used, and which running states can be taken back: decided by the header and the settings."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from gateway.engine.llama.draft_plan import DraftPlan, draft_plan, has_head
from gateway.engine.llama.footprint import footprint_of
from gateway.engine.llama.gguf import read_header
from gateway.engine.settings import EngineSettings
from tests.engine.architectures.writers import WRITERS, write_deepseek2, write_glm4moe, write_qwen35, write_qwen35moe
from tests.engine.tiny import write_gguf


def planned(file: Path, **changes: Any) -> DraftPlan:
    """The plan for a file."""
    return draft_plan(read_header(file), EngineSettings(model=str(file), **changes))


@pytest.mark.parametrize("write", [write_qwen35, write_glm4moe])
def test_a_head_may_have_a_file_of_its_own(write: Any, tmp_path: Path) -> None:
    """It is told from a small model by what is not in it; its memory is that of one layer."""
    file, alone = write(tmp_path / "m.gguf", head=False), write(tmp_path / "h.gguf", head=True, alone=True)
    named = read_header(alone)
    plan = draft_plan(read_header(file), EngineSettings(model=str(file), draft_model=str(alone)), named)
    assert (plan.head, plan.file, plan.problem) == (True, str(alone), "")
    whole = read_header(write(tmp_path / "w.gguf", head=True))
    assert (named.head_only, whole.head_only) == (True, False)
    settings = EngineSettings(model=str(alone), draft_lookup=False)
    assert footprint_of(named, settings).cache < footprint_of(whole, settings).cache
    small = draft_plan(read_header(file), EngineSettings(model=str(file), draft_model="small.gguf"), whole)
    assert (small.head, small.file, small.problem) == (False, "", "")


def test_heads_of_other_models_are_refused_with_the_reason(tmp_path: Path) -> None:
    """By what the headers say: another architecture, another width, a kind that can't be used at all."""
    file = write_qwen35(tmp_path / "m.gguf", head=False)
    header, alone = read_header(file), write_qwen35(tmp_path / "h.gguf", head=True, alone=True)
    wide = {**read_header(alone).metadata, "qwen35.embedding_length": 64}
    heads = {
        "glm4moe": read_header(write_glm4moe(tmp_path / "g.gguf", alone=True)),
        "another size": msgspec.structs.replace(read_header(alone), metadata=wide),
        "eagle3": read_header(write_gguf(tmp_path / "e.gguf", {"general.architecture": "eagle3"}, {})),
        "gemma4-assistant": read_header(
            write_gguf(tmp_path / "a.gguf", {"general.architecture": "gemma4-assistant"}, {})
        ),
    }
    for word, head in heads.items():
        plan = draft_plan(header, EngineSettings(model="m.gguf", draft_model="h.gguf"), head)
        assert not plan.head
        assert all(part in plan.problem for part in (word, "h.gguf", "m.gguf", "Take the head of this model"))


@pytest.mark.parametrize("change", [{"attention.key_length_mla": 0}, {"attention.temperature_scale": 0.1}])
def test_a_head_for_another_form_of_attention_is_not_used(change: dict[str, Any], tmp_path: Path) -> None:
    """llama.cpp would end the process at the first draft."""
    header = read_header(write_deepseek2(tmp_path / "m.gguf", head=True))
    changed = {f"deepseek2.{key}": value for key, value in change.items()}
    plan = draft_plan(
        msgspec.structs.replace(header, metadata={**header.metadata, **changed}), EngineSettings(model="m.gguf")
    )
    assert (plan.head, "attention of this form" in plan.unused) == (False, True)


def lying(path: Path, architecture: str) -> Path:
    """A file of another architecture that says that it has a draft head."""
    values = {"general.architecture": architecture, f"{architecture}.nextn_predict_layers": 1}
    return write_gguf(path, values, {"blk.0.nextn.eh_proj.weight": np.zeros((2, 2), "f4")})


@pytest.mark.parametrize("write", [write_qwen35, write_qwen35moe, write_glm4moe, write_deepseek2])
def test_a_head_is_used_unless_something_else_is_wanted(write: Any, tmp_path: Path) -> None:
    """By default, not beside a draft model, not where it is switched off; models without one have none."""
    file = write(tmp_path / "m.gguf", head=True)
    assert has_head(read_header(file))
    assert (planned(file).head, planned(file).unused) == (True, "")
    off = planned(file, draft_head=False)
    assert (off.head, "draft: {head: off}" in off.unused) == (False, True)
    assert "draft model" in planned(file, draft_model="small.gguf").unused
    without = write(tmp_path / "n.gguf", head=False)
    assert (planned(without).head, planned(without).unused) == (False, "")


def test_an_architecture_that_was_not_tried_is_named(tmp_path: Path) -> None:
    """llama.cpp would end the process for some of them."""
    plan = planned(lying(tmp_path / "m.gguf", "exaone4"))
    assert (plan.head, "exaone4" in plan.unused) == (False, True)


def test_a_head_that_only_the_header_has_is_none(tmp_path: Path) -> None:
    """Files are made without their head's weights, and llama.cpp would end the process."""
    values = {"general.architecture": "glm4moe", "glm4moe.nextn_predict_layers": 1}
    assert not has_head(read_header(write_gguf(tmp_path / "m.gguf", values, {})))


def test_a_head_of_several_layers_is_not_used(tmp_path: Path) -> None:
    """The answer says so."""
    values = {"general.architecture": "glm4moe", "glm4moe.nextn_predict_layers": 2}
    weights = {f"blk.{layer}.nextn.eh_proj.weight": np.zeros((2, 2), "f4") for layer in (1, 2)}
    plan = planned(write_gguf(tmp_path / "m.gguf", values, weights))
    assert (plan.head, "several layers" in plan.unused) == (False, True)


@pytest.mark.parametrize(
    ("name", "expected"), [("llama", 0), ("gemma3", 0), ("mamba", 0), ("granite", 0), ("lfm2", 3), ("qwen35", 3)]
)
def test_running_states_that_can_be_taken_back(name: str, expected: int, tmp_path: Path) -> None:
    """Where llama.cpp can, by as many tokens as are drafted and as a micro-batch holds."""
    file = WRITERS[name](tmp_path / "m.gguf")
    assert planned(file).take_back == expected
    assert planned(file, draft_tokens=2).take_back == min(2, expected)
    assert planned(file, draft_lookup=False).take_back == 0
    assert planned(file, micro_batch=2).take_back == 0


def test_snapshots_that_take_much_are_kept_for_a_head_only(tmp_path: Path) -> None:
    """Each costs as much as the running state itself, in every slot; the estimate of the memory counts them.

    Where three take more than a gigabyte, one is kept.
    """
    sizes = {"ssm.inner_size": 2**20, "ssm.state_size": 16}
    plain, head = (write_qwen35(tmp_path / f"{has}.gguf", head=has) for has in (False, True))
    assert (planned(plain).take_back, planned(head).take_back) == (3, 3)
    for file, slots, expected in ((plain, 4, 0), (head, 4, 3), (head, 8, 1), (head, 64, 1)):
        header = read_header(file)
        large = {f"qwen35.{key}": value for key, value in sizes.items()}
        grown = msgspec.structs.replace(header, metadata={**header.metadata, **large})
        settings = EngineSettings(model=str(file), slots=slots)
        assert draft_plan(grown, settings).take_back == expected
        none = EngineSettings(model=str(file), slots=slots, draft_head=False, draft_lookup=False)
        more = footprint_of(grown, settings).cache - footprint_of(grown, none).cache
        assert more >= expected * slots * 4 * 2**20 * 16
