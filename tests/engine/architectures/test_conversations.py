"""Conversations with models of every kind of memory: whatever comes from a cache, answers are those of a fresh context.

Compared are the likeliest tokens and their log-probabilities, for a model of random weights may say the same for a
while though it read something else.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.engine.llama.model import Model
from gateway.engine.speculative.speculator import Speculator
from tests.engine.architectures.serving import Answer, Served, serving
from tests.engine.architectures.writers import BEGIN, END, WRITERS

# Tokens at the end of a prompt that are read again: four where a memory can't be cut back, as by llama-server.
TAIL, LAST = 4, 1
# What each model is served with. Without the full-size cache, a sliding window forgets what it has passed.
KINDS = {name: (name, {}) for name in WRITERS} | {
    f"{name} small cache": (name, {"swa_full": False}) for name in ("gemma3", "gpt-oss")
}
DRAFTING = [kind for kind, (name, _) in KINDS.items() if name in ("llama", "gemma3", "gpt-oss")]
SYSTEM = "You are short and kind. Answer in the language of the question. Never guess what a number could be."
QUESTIONS = (
    "What is the tallest hill of the county, and who climbed it first?",
    "And the second one?",
    "Tell me more about the people who live there, and what they grow.",
    "Thank you. Which road leads there?",
    "How long does it take on foot?",
)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The models' files."""
    directory = tmp_path_factory.mktemp("architectures")
    return {name: write(directory / f"{name}.gguf") for name, write in WRITERS.items()}


def message(text: str) -> list[int]:
    """The tokens of one message."""
    return [BEGIN, *(3 + byte for byte in text.encode()), END]


def asked(*texts: str) -> list[int]:
    """A prompt of these messages, and the beginning of the answer."""
    return [*(token for text in texts for token in message(text)), BEGIN, 3 + ord(">")]


def fresh(file: Path, prompt: Sequence[int], most: int = 12, **settings) -> Answer:
    """The answer of a model that has read nothing else."""
    with serving(file, **settings) as served:
        return served.ask(prompt, most=most)[0]


def same(answer: Answer, expected: Answer) -> None:
    """Asserts that an answer is what a fresh context says."""
    assert answer.tokens == expected.tokens
    assert answer.logs == pytest.approx(expected.logs, abs=2e-3)


def by_lookup(model: Model) -> Speculator:
    """Drafts from what stands in the text, as many as the model's memory can take back."""
    return Speculator(most=model.sequence_memory.take_back or 8, room=32, always=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_prompt_twice(kind: str, files: dict[str, Path]) -> None:
    """The same prompt, asked three times, is answered three times, and rightly."""
    name, settings = KINDS[kind]
    prompt = asked(SYSTEM, QUESTIONS[0])
    expected = fresh(files[name], prompt, **settings)
    with serving(files[name], **settings) as served:
        for turn in range(3):
            (answer,) = served.ask(prompt)
            same(answer, expected)
            assert answer.cached >= (len(prompt) - (LAST if kind in DRAFTING else TAIL) if turn else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_five_turns(kind: str, files: dict[str, Path]) -> None:
    """Each turn of a conversation continues what was read before: only what is new is computed."""
    name, settings = KINDS[kind]
    with serving(files[name], **settings) as served:
        prompt = message(SYSTEM)
        held = 0
        for question in QUESTIONS:
            prompt += [*message(question), BEGIN, 3 + ord(">")]
            (answer,) = served.ask(prompt)
            same(answer, fresh(files[name], prompt, **settings))
            assert answer.cached == held
            held = len(prompt) + len(answer.tokens) - 1  # the last token was said, and not read
            prompt += [*answer.tokens, END]


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_in_the_middle(kind: str, files: dict[str, Path]) -> None:
    """A question that was changed is answered as it stands now, in the slot where the old one was read."""
    name, settings = KINDS[kind]
    first, other = asked(SYSTEM, QUESTIONS[0], QUESTIONS[2]), asked(SYSTEM, "Which hill is the lowest?", QUESTIONS[2])
    with serving(files[name], slots=1, **settings) as served:
        served.ask(first)
        for prompt in (other, first):
            (answer,) = served.ask(prompt)
            same(answer, fresh(files[name], prompt, **settings))
            assert answer.cached >= len(message(SYSTEM))


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_question_is_changed(kind: str, files: dict[str, Path]) -> None:
    """Of a long conversation, only the message that was changed is read again."""
    name, settings = KINDS[kind]
    texts = [SYSTEM, *QUESTIONS, *QUESTIONS]
    with serving(files[name], **settings) as served:
        served.ask(asked(*texts, "And now?"))
        (answer,) = served.ask(asked(*texts, "What else?"))
        same(answer, fresh(files[name], asked(*texts, "What else?"), **settings))
        assert answer.cached >= sum(len(message(text)) for text in texts) + (kind in DRAFTING)


@pytest.mark.parametrize("kind", KINDS)
def test_thoughts_are_left_out(kind: str, files: dict[str, Path]) -> None:
    """Where an app leaves out what the model thought, the next turn goes on behind the last prompt."""
    name, settings = KINDS[kind]
    prompt = asked(SYSTEM, QUESTIONS[0])
    with serving(files[name], **settings) as served:
        served.ask(prompt, most=90)
        after = [*prompt, *(3 + byte for byte in b"It is 5."), END, *asked(QUESTIONS[1])]
        (answer,) = served.ask(after)
        same(answer, fresh(files[name], after, **settings))
        assert answer.cached >= len(prompt) - (0 if kind in DRAFTING else TAIL)


@pytest.mark.parametrize("kind", KINDS)
def test_four_at_once(kind: str, files: dict[str, Path]) -> None:
    """Four conversations that begin alike, in three slots, don't disturb each other."""
    name, settings = KINDS[kind]
    prompts = [asked(SYSTEM, question) for question in QUESTIONS[:4]]
    with serving(files[name], **settings) as served:
        answers = served.ask(*prompts)
        assert sorted(answer.cached >= len(message(SYSTEM)) for answer in answers) == [False, True, True, True]
        answers += served.ask(*prompts)
        for prompt, answer in zip(prompts * 2, answers, strict=True):
            same(answer, fresh(files[name], prompt, **settings))


@pytest.mark.parametrize("kind", KINDS)
def test_cancelled_in_the_middle(kind: str, files: dict[str, Path]) -> None:
    """Requests that are cancelled while they are read or answered leave nothing wrong behind."""
    name, settings = KINDS[kind]
    prompt = asked(SYSTEM, *QUESTIONS)
    with serving(files[name], slots=1, **settings) as served:
        served.cancel(served.begin(prompt))
        served.submit_and_cancel(prompt)
        same(served.ask(prompt)[0], fresh(files[name], prompt, **settings))
        served.submit_and_cancel(asked(SYSTEM, QUESTIONS[1]))
        same(served.ask(prompt)[0], fresh(files[name], prompt, **settings))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["RAM", "disk"])
def test_moved_out_and_back(kind: str, where: str, files: dict[str, Path], tmp_path: Path) -> None:
    """A conversation that had to leave its slot goes on where it was, from RAM or from disk."""
    name, settings = KINDS[kind]
    spill = {} if where == "RAM" else {"spill_memory": 0, "spill_disk": 64, "spill_directory": str(tmp_path / "spill")}
    prompt, others = asked(SYSTEM, QUESTIONS[0]), [asked(f"{number} {SYSTEM}") for number in range(2)]
    with serving(files[name], slots=1, **spill, **settings) as served:
        (answer,) = served.ask(prompt)
        served.ask(others[0])
        again = [*prompt, *answer.tokens, END, *asked(QUESTIONS[1])]
        (back,) = served.ask(again)
        assert back.cached == len(prompt) + len(answer.tokens) - 1
        same(back, fresh(files[name], again, **settings))
        served.ask(others[1])
        (answer,) = served.ask(prompt)
        same(answer, fresh(files[name], prompt, **settings))
        assert answer.cached >= len(prompt) - TAIL


def test_the_kinds_of_memory(files: dict[str, Path]) -> None:
    """What a memory can do is read from the model."""

    def kind(served: Served) -> tuple[str, int | None, int | None]:
        memory = served.model.sequence_memory
        assert (memory.checkpoint_bytes > 0) == (memory.window is not None)
        return memory.kind, memory.window, memory.slack

    found = {}
    for name, (file, settings) in KINDS.items():
        with serving(files[file], **settings) as served:
            found[name] = kind(served)
    assert found == {
        "llama": ("attention", None, None),
        "gemma3": ("sliding_window", 24, None),
        "gemma3 small cache": ("sliding_window", 24, 232),
        "gpt-oss": ("sliding_window", 24, None),
        "gpt-oss small cache": ("sliding_window", 24, 232),
        "mamba": ("recurrent", 0, 0),
        "mamba2": ("recurrent", 0, 0),
        "granite": ("hybrid", 0, 0),
        "lfm2": ("hybrid", 0, 0),
        "qwen35": ("hybrid", 0, 0),
    }


@pytest.mark.parametrize("kind", [*DRAFTING, "lfm2", "qwen35"])
def test_draft_tokens(kind: str, files: dict[str, Path]) -> None:
    """Draft tokens, most of them wrong, change no answer, and what they leave behind is right too."""
    name, settings = KINDS[kind]
    prompt = asked(SYSTEM, "ab ab ab ab ab ab ab ab ab ab ab ab")
    expected = fresh(files[name], prompt, 60, **settings)
    with serving(files[name], speculator=by_lookup, **settings) as served:
        (answer,) = served.ask(prompt, most=60)
        same(answer, expected)
        prompt += [*answer.tokens, END, *asked(QUESTIONS[1])]
        same(served.ask(prompt)[0], fresh(files[name], prompt, **settings))
