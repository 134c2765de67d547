"""A whole worker on the starter model, with and without draft tokens: the same tokens, in fewer steps where text
repeats."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.delta import FinishReason
from gateway.engine.llama.faults import LoadFault
from gateway.engine.llama.model import Model
from gateway.engine.messages import End, Frames, SamplingSpec, Submit, Tokens, frame, pack_tokens, to_gateway
from gateway.engine.prompt_store.store import PromptCacheStore
from gateway.engine.settings import EngineSettings
from gateway.engine.speculative.draft_model import DraftModel
from gateway.engine.speculative.speculator import Speculator
from gateway.engine.tuning.batch_split import BatchSplitter
from gateway.engine.worker.channel import Channel, PeerClosed
from gateway.engine.worker.loop import Worker
from tests.engine.truncated import truncate
from tests.standins.machine import repack_works

pytestmark = pytest.mark.model

COPYING = """Repeat the list.
List: amber, birch, cedar, dogwood, elm, fir, ginkgo, hazel, ivy, juniper, kapok, larch, maple, oak, pine.
List: amber, birch, cedar, dogwood, elm,"""
PROSE = "Once upon a time there was a"
GREEDY = SamplingSpec(temperature=0.0)
SPECS = {
    "greedy": GREEDY,
    "sampled": SamplingSpec(temperature=0.9, seed=11),
    "hot": SamplingSpec(temperature=1.5, top_k=0, top_p=1.0, min_p=0.0, seed=5),
    "penalties": SamplingSpec(temperature=0.7, seed=3, frequency_penalty=0.4, presence_penalty=0.2, repeat_penalty=1.1),
    "bias": SamplingSpec(temperature=0.0, logit_bias=((28, -100.0), (30, 3.0))),
    "logprobs": SamplingSpec(temperature=0.0, logprobs=2),
    "no end": SamplingSpec(temperature=0.0, ignore_eos=True),
}


class Said:
    """What a worker answered."""

    def __init__(self) -> None:
        self.tokens: dict[int, list[int]] = {}
        self.logs: dict[int, list[tuple[int, ...]]] = {}
        self.ends: dict[int, End] = {}
        self.steps = 0

    def take(self, message: Tokens) -> None:
        """One message of the worker."""
        for place, number in enumerate(message.ids):
            self.tokens.setdefault(number, []).append(message.tokens[place])
            log = message.logs[place] if message.logs else None
            if log is not None:
                self.logs.setdefault(number, []).append(tuple(token for token, _ in log.top))
        for end in message.ends:
            assert end.error is None
            self.ends[end.id] = end


@pytest.fixture(scope="module")
def model(starter: Path) -> Iterator[Model]:
    """Three slots of 256 tokens."""
    model = Model(EngineSettings(model=str(starter), repack=repack_works(), context=256, slots=3, batch=128), threads=1)
    yield model
    model.close()


@pytest.fixture(scope="module")
def small(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's first layer."""
    return truncate(starter, tmp_path_factory.mktemp("draft") / "one-layer.gguf", 1)


def served(model: Model, speculator: Speculator | None, *submits: Submit) -> Said:
    """A worker's answers to all of these at once."""
    said, frames = Said(), Frames()
    for slot in range(model.settings.slots):
        model.trim(slot, 0)
    decode = model.decode

    def counted(rows):
        said.steps += 1
        return decode(rows)

    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "decode", counted)
        channel = Channel(theirs)
        worker = Worker(model, channel, 1, PromptCacheStore(), 1, BatchSplitter(), speculator)

        def work() -> None:
            with pytest.raises(PeerClosed):
                worker.run()

        ours.sendall(b"".join(map(frame, submits)))
        thread = threading.Thread(target=work)
        thread.start()
        while len(said.ends) < len(submits):
            for body in frames.feed(ours.recv(65536)):
                said.take(to_gateway.decode(body))
        ours.shutdown(socket.SHUT_RDWR)
        thread.join()
        channel.close()
    return said


def asked(model: Model, text: str, spec: SamplingSpec = GREEDY, *, number: int = 1, most: int = 60) -> Submit:
    """A request to continue a text."""
    tokens = model.vocabulary.tokenize(text, add_special=True, parse_special=False)
    return Submit(id=number, tokens=pack_tokens(tokens), max_tokens=most, sampling=spec)


def by_lookup() -> Speculator:
    """Whatever it costs."""
    return Speculator(most=8, room=32, always=True)


def by_model(model: Model, small: Path) -> tuple[Speculator, DraftModel]:
    """Draft tokens of the small model only."""
    settings = EngineSettings(
        model=model.settings.model, repack=repack_works(), draft_model=str(small), context=256, slots=3, batch=128
    )
    draft = DraftModel(settings, 1, model.vocabulary)
    return Speculator(most=4, room=32, lookup=False, proposer=draft, always=True), draft


@pytest.mark.parametrize(
    ("text", "name"), [*((COPYING, name) for name in SPECS), (PROSE, "greedy"), (PROSE, "sampled")]
)
def test_draft_tokens_change_no_answer(text: str, name: str, model: Model) -> None:
    """Draft tokens change no answer, be it greedy or by a seed, with penalties, biases or log-probabilities."""
    plain = served(model, None, asked(model, text, SPECS[name], most=40))
    drafted = served(model, by_lookup(), asked(model, text, SPECS[name], most=40))
    assert drafted.tokens == plain.tokens
    assert drafted.logs == plain.logs
    assert drafted.ends[1].reason == plain.ends[1].reason
    assert drafted.ends[1].generated == plain.ends[1].generated


def test_copying_takes_fewer_steps(model: Model) -> None:
    """An answer that copies its prompt takes less than half of the steps with draft tokens."""
    plain = served(model, None, asked(model, COPYING))
    drafted = served(model, by_lookup(), asked(model, COPYING))
    assert drafted.tokens == plain.tokens
    assert drafted.steps < plain.steps / 2


@pytest.mark.parametrize("name", ["greedy", "sampled", "penalties"])
def test_a_small_model_changes_no_answer(name: str, model: Model, small: Path) -> None:
    """A draft model changes no answer, however badly it drafts."""
    speculator, draft = by_model(model, small)
    for text in (COPYING, PROSE):
        plain = served(model, None, asked(model, text, SPECS[name], most=24))
        drafted = served(model, speculator, asked(model, text, SPECS[name], most=24))
        assert drafted.tokens == plain.tokens
    draft.close()


def test_the_model_itself_as_its_draft_is_always_right(model: Model, starter: Path) -> None:
    """A model as its own draft gives five tokens a step; long prompts are read along in several calls."""
    speculator, draft = by_model(model, starter)
    text = COPYING + " fir, ginkgo," * 20
    plain = served(model, None, asked(model, text, most=30))
    drafted = served(model, speculator, asked(model, text, most=30))
    assert drafted.tokens == plain.tokens
    assert drafted.steps <= plain.steps - 30 + 8
    draft.close()


@pytest.mark.parametrize("most", [1, 2, 3, 7, 9])
def test_the_limit_of_an_answer_holds(most: int, model: Model) -> None:
    """An answer has exactly as many tokens as it may, though more were drafted rightly."""
    said = served(model, by_lookup(), asked(model, COPYING, SPECS["no end"], most=most))
    assert len(said.tokens[1]) == most == said.ends[1].generated
    assert said.ends[1].reason is FinishReason.LENGTH


def test_the_window_is_filled_to_its_end(model: Model) -> None:
    """Draft tokens fill the window to its end and not beyond."""
    said = served(model, by_lookup(), asked(model, "la " * 200, SPECS["no end"], most=9999))
    plain = served(model, None, asked(model, "la " * 200, SPECS["no end"], most=9999))
    assert said.tokens == plain.tokens
    assert said.ends[1].prompt + said.ends[1].generated == 256


def test_several_requests_at_once_and_their_next_turns(model: Model) -> None:
    """More conversations than slots go on rightly from what stays cached behind draft tokens."""
    texts = (COPYING, PROSE, COPYING + " fir,", "One two three one two three one two")
    submits = [asked(model, text, number=number, most=30) for number, text in enumerate(texts)]
    alone = {number: served(model, None, submit).tokens[number] for number, submit in enumerate(submits)}
    together = served(model, by_lookup(), *submits)
    for number, tokens in alone.items():
        # Rows that are computed together differ in their last digits, so a text may part at a near tie.
        assert together.tokens[number][:8] == tokens[:8]
        assert len(together.tokens[number]) == len(tokens)


@pytest.mark.parametrize("name", [b"\xc4\xa0the", b"Hello"])
def test_another_vocabulary_is_refused(name: bytes, starter: Path, tmp_path: Path, model: Model) -> None:
    """A draft model with another vocabulary is refused at load, with what to do."""
    other = truncate(starter, tmp_path / "other.gguf", 1, rename_token=name)
    settings = EngineSettings(
        model=str(starter), repack=repack_works(), draft_model=str(other), context=64, slots=1, batch=32
    )
    with pytest.raises(LoadFault, match="same vocabulary") as caught:
        DraftModel(settings, 1, model.vocabulary)
    assert str(other) not in caught.value.public


def test_a_draft_model_that_is_not_there(starter: Path, model: Model) -> None:
    """A draft model whose file is missing is named."""
    settings = EngineSettings(
        model=str(starter), repack=repack_works(), draft_model="/nowhere/draft.gguf", context=64, slots=1, batch=32
    )
    with pytest.raises(LoadFault, match=r"draft model: .*nowhere"):
        DraftModel(settings, 1, model.vocabulary)
