"""How much memory this machine can give to models: RAM within the control group's limit, and cards by NVML."""

import os
from pathlib import Path

import msgspec

from gateway.engine.llama.nvidia import nvidia_cards

_LEAST_LEFT = 512 * 2**20  # bytes, of RAM and of each card
_LEFT_OF_RAM, _LEFT_OF_CARD = 1 / 8, 1 / 20


class SpareMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that models may take: what is free now, less what the machine needs itself. None: nobody knows."""

    ram: int | None = None
    gpu: int | None = None


def spare_memory(*, gpu: bool) -> SpareMemory:
    """Measure how much memory models may take now. `gpu`: the machine has a card, whose memory is measured too."""
    available = available_memory()
    ram = None if available is None else max(0, available - _left(total_memory() or available, _LEFT_OF_RAM))
    return SpareMemory(ram=ram, gpu=_spare_on_cards() if gpu else None)


def available_memory() -> int | None:
    """Return the bytes of RAM that can be taken without swapping, within the control group's limit. None: unknown."""
    free = _meminfo("MemAvailable")
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return None if free is None else min(free, limit - used)


def total_memory() -> int | None:
    """Return the bytes of RAM of the machine, or of the control group where it has a limit. None: unknown."""
    total = _meminfo("MemTotal")
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        return total
    return limit if total is None else min(total, limit)


def _meminfo(name: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
    except (OSError, StopIteration, ValueError):
        return None


def free_on_cards() -> int | None:
    """Return the bytes that are free on all cards that may be used. None: NVML can't say."""
    cards = _cards()
    return None if cards is None else sum(free for free, _ in cards)


def _spare_on_cards() -> int | None:
    """Sum up what models may take of the cards that may be used. None: NVML can't say."""
    cards = _cards()
    return None if cards is None else sum(max(0, free - _left(total, _LEFT_OF_CARD)) for free, total in cards)


def _cards() -> list[tuple[int, int]] | None:
    """Return free and total bytes of each card that may be used. None: NVML can't say, as of other makers' cards."""
    cards = nvidia_cards(os.environ.get("CUDA_VISIBLE_DEVICES")).cards
    known = [(card.free, card.total) for card in cards if card.free is not None and card.total is not None]
    return known if known and len(known) == len(cards) else None


def _left(total: int, part: float) -> int:
    return max(_LEAST_LEFT, int(total * part))
