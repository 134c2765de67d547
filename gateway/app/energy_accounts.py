"""The sampler of electricity at work: its thread is watched, and what it counts comes into the ledger."""

import asyncio

import structlog

from gateway.core.errors import AduanaError
from gateway.ledger import Ledger
from gateway.observe import EnergySampler

LOG = structlog.get_logger("aduana")
_ACCRUE_SECONDS = 60.0
_LOOK_SECONDS = 1.0


async def sample(sampler: EnergySampler) -> None:
    """Begin to sample in the sampler's own thread, and watch it. Runs until cancelled; the thread goes on then.

    Raises:
        RuntimeError: The thread has died.
    """
    sampler.start()
    while sampler.running:  # noqa: ASYNC110 - a thread has no event for its death
        await asyncio.sleep(_LOOK_SECONDS)
    raise RuntimeError(sampler.failure or "the sampler has ended")


async def accrue(sampler: EnergySampler, ledger: Ledger) -> None:
    """Hand the sampler's accounts to the ledger once a minute. Runs until cancelled."""
    while True:
        await asyncio.sleep(_ACCRUE_SECONDS)
        await _hand_over(sampler, ledger)


async def stop_sampling(sampler: EnergySampler, ledger: Ledger) -> None:
    """Close the sampler and hand over its accounts: after the last answer, so that its energy is in the ledger, too."""
    await asyncio.to_thread(sampler.close)
    await _hand_over(sampler, ledger)


async def _hand_over(sampler: EnergySampler, ledger: Ledger) -> None:
    owed, requests = sampler.drain(), sampler.drain_requests()
    if not owed and not requests:
        return
    try:
        await ledger.accrue(owed, requests)
    except AduanaError as error:
        LOG.error("ledger.energy_failed", error=error.code)
