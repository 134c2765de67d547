"""Models with a draft head in their file: answers are those of a fresh context without it, and come in fewer steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from gateway.engine.llama.bindings import C
from gateway.engine.llama.draft_plan import draft_plan
from gateway.engine.llama.faults import LoadFault
from gateway.engine.llama.gguf import read_header
from gateway.engine.llama.model import EmbeddingRows, Model
from gateway.engine.scheduler.step import Row
from gateway.engine.settings import EngineSettings
from gateway.engine.speculative.head_proposer import HeadProposer
from gateway.engine.speculative.speculator import DraftRequest, Speculator
from tests.engine.architectures import writers
from tests.engine.architectures.serving import serving
from tests.engine.architectures.test_conversations import QUESTIONS, SYSTEM, asked, fresh, message, same
from tests.engine.architectures.writers import END, write_deepseek2, write_glm4moe, write_qwen35, write_qwen35moe

WRITERS = {
    "qwen35": write_qwen35,
    "qwen35moe": write_qwen35moe,
    "glm4moe": write_glm4moe,
    "deepseek2": write_deepseek2,
}
Files: TypeAlias = Mapping[tuple[str, bool], Path]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The models' files: of random weights, whose head is nearly always wrong, and some whose head knows."""
    directory = tmp_path_factory.mktemp("heads")
    return {
        (name, knows): write(directory / f"{name}-{knows}.gguf", head=True, markov=knows)
        for name, write in WRITERS.items()
        for knows in (False, True)
    }


class Counting(HeadProposer):
    """Head that counts what it drafts."""

    drafted = asked = 0

    def propose(self, draft_requests: Sequence[DraftRequest]) -> Mapping[int, Sequence[int]]:
        """Drafts."""
        found = super().propose(draft_requests)
        self.asked += 1
        self.drafted += sum(len(draft) for draft in found.values())
        return found


def counting(model: Model) -> tuple[Speculator, Counting]:
    """Drafts by the head alone, at every step."""
    assert model.head is not None
    proposer = Counting(model.head)
    most = model.sequence_memory.take_back or 8
    return Speculator(most=most, room=32, lookup=False, proposer=proposer, always=True), proposer


def by_head(model: Model) -> Speculator:
    """Drafts by the head alone."""
    return counting(model)[0]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("knows", [False, True])
def test_a_conversation(name: str, knows: bool, files: Files) -> None:
    """Each turn is answered as without a head, and continues what was read before."""
    file = files[name, knows]
    with serving(file, speculator=by_head) as served:
        prompt, held = message(SYSTEM), 0
        for question in QUESTIONS[:3]:
            prompt += asked(question)
            (answer,) = served.ask(prompt, most=40)
            same(answer, fresh(file, prompt, 40, draft_head=False))
            assert answer.cached == held
            held = len(prompt) + len(answer.tokens) - 1
            prompt += [*answer.tokens, END]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("knows", [False, True])
def test_four_at_once_in_three_slots(name: str, knows: bool, files: Files) -> None:
    """What one conversation drafts is never taken for another's, also where slots are copied, moved and taken over."""
    file = files[name, knows]
    prompts = [asked(SYSTEM, question) for question in QUESTIONS[:4]]
    with serving(file, speculator=by_head) as served:
        answers = served.ask(*prompts, most=30) + served.ask(*prompts, most=30)
        for prompt, answer in zip(prompts * 2, answers, strict=True):
            same(answer, fresh(file, prompt, 30, draft_head=False))


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_changed_cancelled_or_comes_back_from_ram(name: str, files: Files) -> None:
    """What the head has read of another text, or has not read at all, changes no answer."""
    file = files[name, True]
    first, other = asked(SYSTEM, *QUESTIONS[:2]), asked(SYSTEM, "Which hill is the lowest?", QUESTIONS[1])
    with serving(file, speculator=by_head, slots=1) as served:
        served.ask(first)
        served.cancel(served.begin(other))
        for prompt in (other, asked("1 " + SYSTEM), first, asked("2 " + SYSTEM), other):
            same(served.ask(prompt, most=30)[0], fresh(file, prompt, 30, draft_head=False))


@pytest.mark.parametrize("name", WRITERS)
def test_a_head_that_knows_is_believed(name: str, files: Files) -> None:
    """Its drafts are right, also after a long prompt and in later turns: few steps, and none of its tokens is lost."""
    kept: list[Counting] = []

    def drafting(model: Model) -> Speculator:
        speculator, proposer = counting(model)
        kept.append(proposer)
        return speculator

    prompt = asked(*[SYSTEM] * 3, QUESTIONS[0])
    with serving(files[name, True], speculator=drafting) as served:
        for _ in range(2):
            (proposer,) = kept
            drafted, steps = proposer.drafted, proposer.asked
            (answer,) = served.ask(prompt, most=60)
            prompt = [*prompt, *answer.tokens, END, *asked(QUESTIONS[1])]
            assert proposer.drafted - drafted + proposer.asked - steps <= 60
            assert proposer.asked - steps <= 60 / 3.5


@pytest.mark.parametrize("name", WRITERS)
def test_a_head_whose_memory_fails_costs_no_answer(name: str, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draft tokens are only a help: where the head can't compute, the model answers alone."""
    prompt = asked(SYSTEM, QUESTIONS[0])
    with serving(files[name, True], speculator=by_head) as served:
        head = served.model.head
        assert head is not None
        works = iter([True, True, False])
        decode = head._decode

        def failing(count: int) -> bool:
            if next(works, True):
                return decode(count)
            for slot in range(3):
                head.clear(slot)
            return False

        monkeypatch.setattr(head, "_decode", failing)
        for _ in range(2):
            same(served.ask(prompt, most=30)[0], fresh(files[name, True], prompt, 30, draft_head=False))


@pytest.mark.parametrize("apart", [False, True])
def test_a_head_without_room_costs_no_model(apart: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model answers without its own head; one that was asked for by its name is missed at load."""
    init = C.llama_init_from_model
    none = C.LLAMA_CONTEXT_TYPE_MTP
    monkeypatch.setattr(
        C, "llama_init_from_model", lambda model, how: None if how.ctx_type == none else init(model, how)
    )
    file = write_glm4moe(tmp_path / "m.gguf", head=not apart)
    if apart:
        with pytest.raises(LoadFault, match="no room for the draft head"):
            opened(file, draft_model=str(write_glm4moe(tmp_path / "h.gguf", alone=True)))
        return
    model = opened(file)
    try:
        assert model.head is None
        model.decode([Row(slot=0, position=0, tokens=PROMPT[:10], outputs=1)])
    finally:
        model.close()


@pytest.mark.parametrize("take_back", [2, 3])
def test_a_running_state_is_taken_back_only_by_what_was_kept(take_back: int, files: Files) -> None:
    """Behind a single token there is no state to go back to; llama.cpp would take an old one for it."""
    file = files["qwen35", False]
    settings = EngineSettings(
        model=str(file), context=256, slots=1, batch=64, repack=False, draft_tokens=take_back, kv_type_k="f32"
    )
    model = Model(settings, 1, drafts=draft_plan(read_header(file), settings))
    tokens = tuple(range(3, 40))
    try:
        model.decode([Row(slot=0, position=0, tokens=tokens[:20], outputs=1)])
        model.decode([Row(slot=0, position=20, tokens=tokens[20:21], outputs=1)])
        assert not model.trim(0, 20)
        model.trim(0, 0)
        model.decode([Row(slot=0, position=0, tokens=tokens[:30], outputs=1)])
        assert not model.trim(0, 30 - take_back - 1)
        model.trim(0, 0)
        model.decode([Row(slot=0, position=0, tokens=tokens[:30], outputs=1)])
        assert model.trim(0, 30 - take_back)
        assert not model.trim(0, 30 - take_back - 1)
    finally:
        model.close()


@pytest.mark.parametrize("name", ["qwen35", "glm4moe"])
def test_a_head_in_a_file_of_its_own_drafts_as_one_within(name: str, files: Files, tmp_path: Path) -> None:
    """The same drafts, from the same weights; the head of another vocabulary is refused."""
    within = opened(files[name, False])
    apart = opened(
        WRITERS[name](tmp_path / "m.gguf", head=False),
        draft_model=str(WRITERS[name](tmp_path / "h.gguf", head=True, alone=True)),
    )
    try:
        read(within, 0, [])
        read(apart, 0, [])
        assert drafts(apart, 0) == drafts(within, 0)
    finally:
        within.close()
        apart.close()


def test_a_head_of_another_vocabulary_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its drafts would be of other words: the load says so."""
    file = write_glm4moe(tmp_path / "m.gguf", head=False)
    monkeypatch.setattr(writers, "END", 5)
    alone = write_glm4moe(tmp_path / "h.gguf", head=True, alone=True)
    with pytest.raises(LoadFault, match="draft head of another model than"):
        opened(file, draft_model=str(alone))


PROMPT = asked(*[SYSTEM] * 2, QUESTIONS[0])


def opened(file: Path, *, draft_model: str = "") -> Model:
    """A model of three slots with its head."""
    exact = {"kv_type_k": "f32", "kv_type_v": "f32", "threads": 1, "repack": False}
    settings = EngineSettings(model=str(file), context=512, slots=3, batch=64, draft_model=draft_model, **exact)
    named = read_header(Path(draft_model)) if draft_model else None
    return Model(settings, 1, drafts=draft_plan(read_header(file), settings, named))


def read(model: Model, slot: int, sizes: Sequence[int], *, start: int = 0) -> None:
    """Read the prompt up to its last token, in parts of these sizes and then of 64."""
    sizes = list(sizes)
    while start < len(PROMPT) - 1:
        part = PROMPT[start : min(start + (sizes.pop(0) if sizes else 64), len(PROMPT) - 1)]
        model.decode([Row(slot=slot, position=start, tokens=part, outputs=1)])
        start += len(part)


def drafts(model: Model, *slots: int) -> list[list[int]]:
    """What the head drafts behind the prompt, in these slots."""
    assert model.head is not None
    assert all(model.head.follows(slot, len(PROMPT) - 1) for slot in slots)
    found = model.head.draft(dict.fromkeys(slots, (PROMPT[-1], 6)))
    return [found[slot] for slot in slots]


@pytest.mark.parametrize("name", WRITERS)
def test_drafts_do_not_depend_on_how_the_text_was_read(name: str, files: Files) -> None:
    """In one piece or in many, with drafts in between that were right or wrong, copied, moved: the same drafts."""
    model = opened(files[name, False])
    try:
        read(model, 0, [])
        (expected,) = drafts(model, 0)
        assert len(expected) == 6
        model.trim(0, 0)
        read(model, 0, [1, 2, 3, 1, 1, 7, 1, 30, 1, 1])
        assert drafts(model, 0) == [expected]
        model.trim(0, 0)
        read(model, 1, [9, 64, 2])
        model.copy(1, 0)
        model.swap(1, 2)
        assert drafts(model, 0, 2) == [expected, expected]
        for slot in range(3):
            model.trim(slot, 0)
        model.decode([Row(slot=1, position=0, tokens=PROMPT[:60], outputs=1)])
        assert model.head is not None
        wrong = model.head.draft({1: (PROMPT[60], 3)})[1]
        model.decode([Row(slot=1, position=60, tokens=[PROMPT[60], PROMPT[61], *wrong[:2]], outputs=4, drafted=3)])
        assert model.trim(1, 62)
        read(model, 1, [1, 1], start=62)
        assert drafts(model, 1) == [expected]
    finally:
        model.close()


def test_the_head_lets_pictures_be(files: Files) -> None:
    """Behind a picture, which takes fewer positions than tokens here, it drafts nothing, and changes no answer."""
    file, count, taken = files["qwen35", False], 6, 3
    rows = np.random.default_rng(1).normal(0, 1, (count, 32)).astype(np.float32)
    picture = EmbeddingRows(embeddings=rows, positions=np.full((4, count), 10, np.int32))
    found = []
    for head in (True, False):
        exact = {"kv_type_k": "f32", "kv_type_v": "f32", "repack": False}
        settings = EngineSettings(model=str(file), context=256, slots=1, batch=64, draft_head=head, **exact)
        model = Model(settings, 1, drafts=draft_plan(read_header(file), settings))
        try:
            model.decode([Row(slot=0, position=0, tokens=PROMPT[:10])])
            model.decode_embeddings(0, picture)
            row = Row(slot=0, position=16, tokens=PROMPT[10:20], outputs=1, shift=count - taken)
            found.append(model.decode([row]).copy())
            assert model.head is None or not model.head.follows(0, 26 - row.shift)
        finally:
            model.close()
    assert found[0] == pytest.approx(found[1], abs=1e-5)
