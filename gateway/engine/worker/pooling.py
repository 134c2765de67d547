"""Queue of requests for vectors and ranks, worked off a batch at a time: running answers wait for one batch at most."""

from collections import deque

import msgspec

from gateway.engine.llama.embedder import Embedder
from gateway.engine.llama.faults import EngineFault
from gateway.engine.llama.model import Model
from gateway.engine.messages import Embed, Vectors, unpack_tokens


class _Job(msgspec.Struct, kw_only=True):
    """One request: its inputs, and the results so far."""

    id: int
    inputs: list[list[int]]
    done: list[bytes]


class EmbeddingJobs:
    """Queue of embedding requests, first come, first served. True while there is something to do."""

    def __init__(self, model: Model, threads: int) -> None:
        self._model = model
        self._threads = threads
        self._embedder: Embedder | None = None
        self._jobs: deque[_Job] = deque()

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def add(self, message: Embed) -> None:
        """Add a request to the queue."""
        inputs = [unpack_tokens(tokens).tolist() for tokens in message.inputs]
        self._jobs.append(_Job(id=message.id, inputs=inputs, done=[]))

    def cancel(self, ids: tuple[int, ...]) -> None:
        """Remove requests that nobody waits for any more."""
        self._jobs = deque(job for job in self._jobs if job.id not in ids)

    def work(self) -> Vectors | None:
        """Compute one batch of the first request. Return its answer if it is complete now."""
        job = self._jobs[0]
        self._embedder = self._embedder or Embedder(self._model, self._threads)
        try:
            if len(job.done) < len(job.inputs):
                job.done += self._embedder.some(job.inputs[len(job.done) :])
        except EngineFault as error:
            self._jobs.popleft()
            return Vectors(id=job.id, error=f"The engine failed: {error}.")
        if len(job.done) < len(job.inputs):
            return None
        self._jobs.popleft()
        return Vectors(id=job.id, vectors=tuple(job.done))
