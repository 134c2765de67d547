"""A whole worker on a model that tests wrote, kept over many requests: what one leaves behind serves the next."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from gateway.engine.llama.draft_plan import draft_plan
from gateway.engine.llama.gguf import read_header
from gateway.engine.llama.model import Model
from gateway.engine.messages import Cancel, End, Frames, SamplingSpec, Submit, Tokens, frame, pack_tokens, to_gateway
from gateway.engine.prompt_store.store import open_prompt_store
from gateway.engine.settings import EngineSettings
from gateway.engine.speculative.speculator import Speculator
from gateway.engine.tuning.batch_split import BatchSplitter
from gateway.engine.worker.channel import Channel, PeerClosed
from gateway.engine.worker.loop import Worker
from gateway.engine.worker.warm_up import warm_up

Drafting: TypeAlias = Speculator | Callable[[Model], Speculator]
_LIKELY = SamplingSpec(temperature=0.0, logprobs=0, ignore_eos=True)


class Answer(msgspec.Struct):
    """What came of one request."""

    tokens: list[int] = []
    logs: list[float] = []
    end: End | None = None

    @property
    def cached(self) -> int:
        """Tokens of the prompt that came from the cache."""
        assert self.end is not None
        return self.end.cached


class Served:
    """A worker in a thread, and the gateway's end of its socket."""

    def __init__(self, model: Model, ours: socket.socket) -> None:
        self.model = model
        self._ours = ours
        self._frames = Frames()
        self._last = 0
        self._answers: dict[int, Answer] = {}

    def ask(self, *prompts: Sequence[int], most: int = 12, isolation: str = "") -> list[Answer]:
        """The answers to all of these, asked at once."""
        first = self._last + 1
        self._last += len(prompts)
        for number, prompt in enumerate(prompts, first):
            self._submit(number, prompt, most, isolation)
        self._until(lambda: all(self._answers[number].end for number in range(first, self._last + 1)))
        return [self._answers.pop(number) for number in range(first, self._last + 1)]

    def begin(self, prompt: Sequence[int], *, most: int = 1000) -> int:
        """Asks, waits for the first token, and returns the request's number."""
        self._last += 1
        self._submit(self._last, prompt, most, "")
        self._until(lambda: bool(self._answers[self._last].tokens))
        return self._last

    def cancel(self, *numbers: int) -> None:
        """Cancels requests."""
        self._ours.sendall(frame(Cancel(ids=numbers)))

    def submit_and_cancel(self, prompt: Sequence[int]) -> None:
        """Asks and cancels at once, before or while the prompt is read."""
        self._last += 1
        self._submit(self._last, prompt, 10, "")
        self.cancel(self._last)

    def _submit(self, number: int, prompt: Sequence[int], most: int, isolation: str) -> None:
        self._answers[number] = Answer()
        tokens = pack_tokens(list(prompt))
        submit = Submit(id=number, tokens=tokens, max_tokens=most, sampling=_LIKELY, isolation=isolation)
        self._ours.sendall(frame(submit))

    def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            data = self._ours.recv(65536)
            assert data, "the worker ended"
            for body in self._frames.feed(data):
                message = to_gateway.decode(body)
                assert isinstance(message, Tokens)
                for place, number in enumerate(message.ids):
                    self._answers[number].tokens.append(message.tokens[place])
                    log = message.logs[place]
                    assert log is not None
                    self._answers[number].logs.append(log.logprob)
                for end in message.ends:
                    assert end.error is None, end.error
                    self._answers[end.id].end = end


@contextlib.contextmanager
def serving(path: Path, *, speculator: Drafting | None = None, **settings) -> Iterator[Served]:
    """A worker on a model file. Three slots of 1,024 tokens, if not said otherwise.

    `speculator`: it, or what makes it for the model.
    """
    exact = {
        "kv_type_k": "f32",
        "kv_type_v": "f32",
        "flash_attention": "off",
    }  # so that batches of other sizes make no difference
    chosen = {"context": 1024, "slots": 3, "batch": 64, "threads": 1, **exact, **settings}
    engine = EngineSettings(model=str(path), repack=False, **chosen)
    model = Model(engine, 1, drafts=draft_plan(read_header(path), engine))
    warm_up(model, 1)
    if callable(speculator):
        speculator = speculator(model)
    ours, theirs = socket.socketpair()
    ours.settimeout(30)
    channel = Channel(theirs)
    store = open_prompt_store(engine, channel.wake)
    worker = Worker(model, channel, 1, store, 1024, BatchSplitter(), speculator)

    def work() -> None:
        with contextlib.suppress(PeerClosed):
            worker.run()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield Served(model, ours)
    finally:
        ours.close()
        thread.join()
        theirs.close()
        store.close()
        channel.close()
        model.close()
