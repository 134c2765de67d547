"""A stand-in for the speech worker: `python -m tests.standins.hearing_worker FD`. It does what a recording's bytes say.

`say one|two` is heard as two segments; `die` kills the process; `hang` is heard for ever, and heeds nothing; `long` is
heard for ever, and heeds that nobody waits for it; a word of `Problem` is refused with it. A model called `broken`
can't be loaded; one called `dead` kills the process while it loads.
"""

import os
import signal
import sys
import threading
import time

from gateway.speech.channel import Channel
from gateway.speech.messages import (
    Cancel,
    Ended,
    Hear,
    Heard,
    Load,
    Problem,
    Ready,
    Refused,
    Unusable,
)
from gateway.speech.transcript import Hearing, Segment


class Standin:
    """One process."""

    def __init__(self) -> None:
        self.channel = Channel(int(sys.argv[1]))
        self.send = self.channel.send
        self.cancelled: set[int] = set()

    def hear(self, order: Hear) -> None:
        said = order.sound.decode()
        if said == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if said in list(Problem):
            self.send(Refused(id=order.id, problem=Problem(said)))
            return
        self.send(Heard(id=order.id, segment=Segment(start=0.0, end=1.0, text=" first", tokens=(1,))))
        if said in ("hang", "long"):
            while order.id not in self.cancelled or said == "hang":
                time.sleep(0.01)
            self.send(Ended(id=order.id, hearing=None))
            return
        for number, text in enumerate(said.removeprefix("say ").split("|"), 1):
            segment = Segment(start=float(number), end=number + 1.0, text=f" {text}", tokens=(2, 3))
            self.send(Heard(id=order.id, segment=segment))
        self.send(Ended(id=order.id, hearing=Hearing(seconds=4.0, language=order.language or "es")))


def main() -> int:
    """Load, then do what recordings say."""
    standin = Standin()
    first = standin.channel.receive()
    assert isinstance(first, Load)
    if first.settings.model.endswith("broken"):
        standin.send(Unusable(message="/secret/path is broken.", public="Its model is broken."))
        return 3
    if first.settings.model.endswith("dead"):
        os.kill(os.getpid(), signal.SIGKILL)
    standin.send(Ready(seconds=0.1, languages=("en", "es")))
    while (message := standin.channel.receive()) is not None:
        if isinstance(message, Hear):
            threading.Thread(target=standin.hear, args=(message,), daemon=True).start()
        elif isinstance(message, Cancel):
            standin.cancelled.add(message.id)
    return 0


if __name__ == "__main__":
    os._exit(main())
