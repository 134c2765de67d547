"""Life of a worker: load the model, close the door behind it, say so, hear recordings until the gateway is gone."""

import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from gateway.attachments.worker.sandbox import seccomp
from gateway.speech.channel import Channel
from gateway.speech.messages import Cancel, Ended, Hear, Heard, Load, Problem, Ready, Refused, Unusable
from gateway.speech.model import ModelFault, SpeechModel
from gateway.speech.sound import SoundFault
from gateway.speech.transcript import Hearing


class Worker:
    """Work of one process: a thread for each recording, as many at once as there are slots."""

    def __init__(self, channel: Channel, model: SpeechModel, slots: int) -> None:
        self._channel = channel
        self._model = model
        self._cancelled: dict[int, threading.Event] = {}
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="hearing")

    def run(self) -> None:
        """Take orders until the gateway is gone."""
        while (message := self._channel.receive()) is not None:
            match message:
                case Hear():
                    cancelled = self._cancelled[message.id] = threading.Event()
                    self._threads.submit(self._hear, message, cancelled)
                case Cancel():
                    cancelled = self._cancelled.get(message.id, threading.Event())
                    cancelled.set()
                case Load():
                    return

    def _hear(self, order: Hear, cancelled: threading.Event) -> None:
        try:
            end: Ended | Refused = self._heard(order, cancelled)
        except SoundFault as fault:
            end = Refused(id=order.id, problem=fault.problem, seconds=fault.seconds)
        except Exception as error:  # noqa: BLE001 - one recording failed, whatever it was; the others go on
            print(f"hearing failed: {type(error).__name__}", file=sys.stderr)  # noqa: T201 - for the gateway's log
            end = Refused(id=order.id, problem=Problem.FAILED)
        del self._cancelled[order.id]
        self._channel.send(end)

    def _heard(self, order: Hear, cancelled: threading.Event) -> Ended:
        """Send each segment, and return the end."""
        if cancelled.is_set():
            return Ended(id=order.id, hearing=None)
        for one in self._model.hear(order):
            if isinstance(one, Hearing):
                return Ended(id=order.id, hearing=one)
            if cancelled.is_set():
                break
            self._channel.send(Heard(id=order.id, segment=one))
        return Ended(id=order.id, hearing=None)


def serve(channel: Channel) -> int:
    """Load what the first message says, then work until the gateway is gone. Return the exit code of the process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the gateway decides when to stop; it closes the socket
        signal.signal(number, signal.SIG_IGN)
    first = channel.receive()
    if not isinstance(first, Load):
        return 0 if first is None else 2
    began = time.perf_counter()
    try:
        model = SpeechModel(first.settings)
        model.warm_up()
    except ModelFault as fault:
        channel.send(Unusable(message=str(fault), public=fault.public))
        return 3
    walled = _close(model)
    channel.send(Ready(seconds=time.perf_counter() - began, languages=model.languages, walled=walled))
    Worker(channel, model, first.settings.slots).run()
    return 0


def _close(model: SpeechModel) -> bool:
    """Give up what hearing does not need: files that are written, programs, sockets. Say whether the kernel took it.

    Not on a GPU, whose driver opens its devices when it likes.
    """
    return False if model.on_gpu else seccomp.restrict()
