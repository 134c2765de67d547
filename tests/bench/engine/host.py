"""The host's share of a decode step: time of the worker's own code, without llama.cpp's computation.

    python -m tests.bench.engine.host [--model NAME-OR-GGUF] [--tokens 800] [--profile]

Runs the worker's loop on the first layer of the model, with one compute thread, and a process at the other end of its
socket that only reads. Time is CPU time of the worker's thread, so other programs disturb it little.
"""

import argparse
import cProfile
import os
import pstats
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gateway.engine.llama import model as llama_model
from gateway.engine.llama.model import Model
from gateway.engine.messages import Frames, SamplingSpec, Submit, Tokens, frame, pack_tokens, to_gateway
from gateway.engine.prompt_store.store import PromptCacheStore
from gateway.engine.settings import EngineSettings
from gateway.engine.speculative.speculator import Speculator
from gateway.engine.tuning.batch_split import BatchSplitter, measure_draft_tokens
from gateway.engine.worker.channel import Channel, PeerClosed
from gateway.engine.worker.loop import Worker
from gateway.local.embedded.models.files import default_models_dir, model_path
from tests.engine.truncated import truncate
from tests.standins.machine import repack_works

SPECS = {"greedy": SamplingSpec(temperature=0.0, ignore_eos=True), "T 0.8": SamplingSpec(seed=7, ignore_eos=True)}
PROSE = "Once upon a time, there was a girl who lived by the sea. One day"


class Watch:
    """llama_decode with its time beside it. On a card it returns at once: a step ends when its logits are there."""

    def __init__(self, idle: bool, clock: Callable[[], int]) -> None:
        self._decode = llama_model.C.llama_decode
        self._logits = llama_model.logits_address
        self._idle = idle
        self._clock = clock
        self._left = self._entered = 0
        self._most_logits = 0  # lines of logits for which llama.cpp has memory
        self.host: list[int] = []
        self.inside: list[int] = []

    def decode(self, context: Any, batch: Any) -> int:
        """Begin a step, and note how long the host took since the last one."""
        self._entered = self._clock()
        if self._left:
            self.host.append(self._entered - self._left)
        logits = sum(batch.logits[: batch.n_tokens])
        if self._idle and len(self.host) > 4 and logits <= self._most_logits:
            return 0
        self._most_logits = max(self._most_logits, logits)
        return int(self._decode(context, batch))

    def logits(self, context: Any) -> int | None:
        """Wait for the logits, and note how long the step took."""
        address: int | None = self._logits(context)
        self._left = self._clock()
        self.inside.append(self._left - self._entered)
        return address

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Stand in for llama.cpp's functions."""
        llama_model.C.llama_decode, llama_model.logits_address = self.decode, self.logits
        try:
            yield
        finally:
            llama_model.C.llama_decode, llama_model.logits_address = self._decode, self._logits


def reader(end: socket.socket, other: socket.socket, requests: int) -> int:
    """Fork a process that reads until all requests have ended, or the worker has. Return its id."""
    pid = os.fork()
    if pid:
        return pid
    other.close()  # else it would wait for what it holds itself
    frames, ended = Frames(), 0
    while ended < requests and (data := end.recv(1 << 20)):
        for body in frames.feed(data):
            message = to_gateway.decode(body)
            ended += len(message.ends) if isinstance(message, Tokens) else 0
    os._exit(0)


def measured(
    model: Model,
    spec: SamplingSpec,
    streams: int,
    tokens: int,
    costs: dict[int, float],
    idle: bool,
    clock: Callable[[], int] = time.thread_time_ns,
) -> Watch:
    """Answer so many requests at once. `clock`: CPU time, or another for a card that is waited for."""
    ours, theirs = socket.socketpair()
    prompt = pack_tokens(model.vocabulary.tokenize(PROSE, add_special=True, parse_special=False))
    for number in range(streams):
        request = Submit(id=number + 1, tokens=prompt, max_tokens=tokens, sampling=spec, isolation=str(number))
        ours.sendall(frame(request))
    pid = reader(ours, theirs, streams)
    ours.close()
    settings = model.settings
    speculator = Speculator(costs=costs, most=settings.draft_tokens, room=32)
    worker = Worker(model, Channel(theirs), 1, PromptCacheStore(), 20_000, BatchSplitter({}), speculator)
    watch = Watch(idle, clock)
    try:
        with watch.watching(), suppress(PeerClosed):
            worker.run()
    finally:
        theirs.close()
        os.waitpid(pid, 0)
    for slot in range(settings.slots):
        model.trim(slot, 0)
    return watch


def main() -> None:
    """Print one line for each way of sampling and number of streams."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--tokens", type=int, default=800)
    parser.add_argument("--streams", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--idle", action="store_true", help="compute nothing: warm caches, as beside a card")
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = truncate(model_path(args.model, default_models_dir()), Path(folder) / "one-layer.gguf", 1)
        model = Model(EngineSettings(model=str(path), context=2048, slots=8, repack=repack_works()), threads=1)
        costs = measure_draft_tokens(model, 8)
        for name, spec in SPECS.items():
            for streams in args.streams:
                profile = cProfile.Profile() if args.profile else None
                if profile is not None:
                    profile.enable()
                watch = measured(model, spec, streams, args.tokens, costs, args.idle)
                if profile is not None:
                    profile.disable()
                    pstats.Stats(profile).sort_stats("tottime").print_stats(28)
                host, inside = (statistics.quantiles(times, n=10)[0] / 1e3 for times in (watch.host, watch.inside))
                mean = statistics.fmean(watch.host) / 1e3
                print(f"{name:8} {streams:3} streams: host {host:7.1f} us (mean {mean:.1f}), inside {inside:.0f} us")
        model.close()


if __name__ == "__main__":
    main()
