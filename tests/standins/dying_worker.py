"""A stand-in for the engine's worker process that dies as it is told: `python -m tests.standins.dying_worker FD HOW`.

HOW is JSON: the signals (or `exit_N`) of which it dies while it loads with and without repacked weights; null: it
becomes ready and stays until the gateway is gone.
"""

import json
import os
import signal
import socket
import sys

from gateway.engine.messages import Load, Ready
from gateway.engine.worker.channel import Channel, PeerClosed


def main() -> int:
    """Read the settings, then die or be ready."""
    how = json.loads(sys.argv[2])
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        line = Channel(connection)
        messages = line.receive()
        while not messages:
            line.wait()
            messages = line.receive()
        (load,) = messages
        assert isinstance(load, Load)
        end = how["repacked" if load.settings.repack else "plain"]
        if end is not None:
            os.kill(os.getpid(), signal.Signals[end]) if end.startswith("SIG") else sys.exit(int(end.split("_")[1]))
        settings = load.settings
        line.send(
            Ready(
                seconds=0.1,
                context=settings.context,
                slots=settings.slots,
                trained_context=settings.context,
                threads=1,
                embedding_size=1,
                description="stand-in",
            )
        )
        line.flush()
        try:
            while True:
                line.receive()
                line.wait()
        except PeerClosed:
            return 0


if __name__ == "__main__":
    sys.exit(main())
