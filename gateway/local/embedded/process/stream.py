"""Turn what the worker sends for one request into the request's deltas."""

import time

from gateway.core.delta import Delta, FinishReason
from gateway.core.errors import AduanaError, BadRequest, TargetError
from gateway.core.progress import Progress
from gateway.engine.messages import End, PromptLogs, Read
from gateway.local.embedded.process.mailbox import WorkerItem
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.local.embedded.text.output import Choice, Count, joined_texts
from gateway.local.throughput import Throughput


class ResponseStream:
    """One request's sequences while they run; those that have ended leave `running`."""

    def __init__(
        self,
        running: dict[int, Choice],
        usage: Count,
        throughput: Throughput,
        worker: WorkerSupervisor,
        progress: Progress,
    ) -> None:
        self._running = running
        self._usage = usage
        self._throughput = throughput
        self._worker = worker
        self._began = time.monotonic()
        self._progress = progress
        progress.told = True

    def deltas(self, items: list[WorkerItem]) -> list[Delta]:
        """Return the deltas of these items, in order.

        Raises:
            AduanaError: the worker's side failed.
            TargetError: a sequence failed.
        """
        running, deltas, progress = self._running, list[Delta](), self._progress
        for item in items:
            match item:
                case (int(number), int(token), log) if number in running:
                    choice = running[number]
                    progress.decode += 1
                    deltas += choice.token(token, log)
                    if choice.stopped:
                        del running[number]
                        deltas += choice.finish(FinishReason.STOP)
                        self._worker.cancel([number])
                case (int(number), int(cached)) if number in running:
                    self._usage.cached.setdefault(running[number].index, cached)
                    self._throughput.started(time.monotonic() - self._began)
                case PromptLogs() if item.id in running:
                    deltas += running[item.id].prompt(item.logs)
                case Read():
                    progress.prefill += item.tokens
                case End() if item.id in running:
                    choice = running.pop(item.id)
                    self._worker.finished(item.id)
                    if item.error is not None:
                        raise BadRequest(item.error, param="messages") if item.refused else TargetError(item.error)
                    self._throughput.generated(item.generated, item.decode_seconds)
                    service = item.prefill_seconds + item.decode_seconds
                    self._throughput.ended(time.monotonic(), service, waiting=self._worker.waiting > 0)
                    deltas += choice.finish(item.reason)
                case AduanaError():
                    raise item
                case _:
                    pass  # tokens of a sequence that was cancelled meanwhile
        return joined_texts(deltas)
