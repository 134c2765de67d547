"""How much memory this machine can give to models: RAM within the control group's limit, and cards by NVML."""

import os
from pathlib import Path
from typing import Any

import msgspec

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


def _spare_on_cards() -> int | None:
    """Sum up what is free on the cards that the engine may use. None: NVML can't say, as with cards of other makers."""
    try:
        import pynvml as driver
    except ImportError:
        return None
    nvml: Any = driver
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    try:
        cards = [nvml.nvmlDeviceGetMemoryInfo(card) for card in _visible(nvml)]
        return sum(max(0, card.free - _left(card.total, _LEFT_OF_CARD)) for card in cards) if cards else None
    except nvml.NVMLError:
        return None
    finally:
        nvml.nvmlShutdown()


def _visible(nvml: Any) -> list[Any]:
    """Return the cards that CUDA_VISIBLE_DEVICES leaves, or all."""
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is None:
        return [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
    words = [word.strip() for word in said.split(",") if word.strip()]
    return [
        nvml.nvmlDeviceGetHandleByIndex(int(word)) if word.isdigit() else nvml.nvmlDeviceGetHandleByUUID(word)
        for word in words
    ]


def _left(total: int, part: float) -> int:
    return max(_LEAST_LEFT, int(total * part))
