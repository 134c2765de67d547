"""The probe of the seal: whether this very process could connect to the internet, tried without sending anything.

A connection is opened and closed at once, or refused. Tried are the configured clouds, and an address that nobody has
(RFC 5737), so that a wall is told from a machine that is off. The result stands in the state directory, for the doctor.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from gateway.app.durable_file import write_durably
from gateway.egress.reaching import Attempt, attempt

LOG = structlog.get_logger("aduana.egress")
FILE_NAME = "seal.json"
NOBODY = ("192.0.2.1", 443)  # TEST-NET-1
_PERIOD = 600.0


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried, by which process, and when, in seconds since 1970."""

    pid: int
    at: float
    attempts: tuple[Attempt, ...]


async def probed(addresses: Iterable[tuple[str, int]], *, pid: int) -> Probed:
    """Try to connect to each address, and to one that nobody has."""
    attempts = await asyncio.gather(*(attempt(host, port) for host, port in (*addresses, NOBODY)))
    return Probed(pid=pid, at=time.time(), attempts=tuple(attempts))


async def keep_probing(addresses: Iterable[tuple[str, int]], folder: Path, *, pid: int) -> None:
    """Probe now and every ten minutes, note it in `folder`, and log where something is open. Runs until cancelled."""
    known = tuple(dict.fromkeys(addresses))
    while True:
        result = await probed(known, pid=pid)
        for one in result.attempts:
            if one.outcome == "open":
                LOG.error("seal.open", host=one.address)
        with suppress(OSError):  # a full disk: the log has it
            await asyncio.to_thread(write_durably, folder / FILE_NAME, msgspec.json.encode(result))
        await asyncio.sleep(_PERIOD)


def last_probe(folder: Path) -> Probed | None:
    """Return what the gateway tried last; None: nothing, or it can't be read."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Probed)
    except (OSError, msgspec.MsgspecError):
        return None
