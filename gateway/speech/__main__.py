"""`python -m gateway.speech FD`: a worker on an inherited socket. Started by the gateway only."""

import os
import sys

from gateway.attachments.worker.sandbox import namespaces

if __name__ == "__main__":
    namespaces.enter()  # no network from here on; it takes a process of one thread, so nothing else is imported yet
    from gateway.speech.channel import Channel
    from gateway.speech.worker import serve

    code = serve(Channel(int(sys.argv[1])))
    sys.stderr.flush()
    os._exit(code)  # threads may be in the middle of recordings that nobody waits for; they shall not keep the process
