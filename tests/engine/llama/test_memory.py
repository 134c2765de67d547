"""How much memory models may take: what is free, less what the machine needs for itself."""

import pynvml
import pytest

from gateway.engine.llama import memory
from gateway.engine.llama.memory import SpareMemory, available_memory, spare_memory, total_memory

GB = 2**30


class Card:
    """A card's memory, as NVML tells it."""

    def __init__(self, free: int, total: int = 24 * GB) -> None:
        self.free, self.total = free, total


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> list[Card]:
    """NVML with these cards; their handles are their numbers."""
    found = [Card(20 * GB), Card(10 * GB)]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for name, answer in {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: len(found),
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetHandleByUUID": lambda uuid: {"GPU-b": 1}[uuid],
        "nvmlDeviceGetMemoryInfo": lambda number: found[number],
    }.items():
        monkeypatch.setattr(pynvml, name, answer)
    return found


@pytest.mark.parametrize(
    ("visible", "free"), [(None, [20, 10]), ("1", [10]), ("GPU-b", [10]), ("0, 1", [20, 10]), ("", [])]
)
def test_cards(visible: str | None, free: list[int], cards: list[Card], monkeypatch: pytest.MonkeyPatch) -> None:
    """The cards that the engine may use count, each less a twentieth of it, for the desktop and the driver."""
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    spare = spare_memory(gpu=True).gpu
    assert spare == (pytest.approx(sum(free) * GB - len(free) * 1.2 * GB, rel=0.001) if free else None)


def test_a_card_without_nvml_is_unknown(cards: list[Card], monkeypatch: pytest.MonkeyPatch) -> None:
    """A card of another maker: nobody knows, which is not the same as nothing."""

    def fail() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    assert spare_memory(gpu=True).gpu is None


@pytest.mark.parametrize(
    ("available", "total", "spare"), [(16 * GB, 32 * GB, 12 * GB), (1 * GB, 2 * GB, GB // 2), (100, 2 * GB, 0)]
)
def test_ram(available: int, total: int, spare: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An eighth of the machine stays free, at least half a gigabyte."""
    monkeypatch.setattr(memory, "available_memory", lambda: available)
    monkeypatch.setattr(memory, "total_memory", lambda: total)
    assert spare_memory(gpu=False) == SpareMemory(ram=spare)


def test_this_machine_says_what_it_has() -> None:
    """On Linux both are known, and no more is free than there is."""
    available, total = available_memory(), total_memory()
    assert available is not None
    assert total is not None
    assert 0 < available <= total
