"""NVIDIA's cards as their driver tells of them, by NVML. Starts nothing on a card."""

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One card. Memory in bytes; None where the driver does not say, as of cards that share the machine's RAM."""

    name: str = ""
    uuid: str = ""
    total: int | None = None
    free: int | None = None
    capability: str = ""  # CUDA's compute capability, such as 8.9


class Nvidia(msgspec.Struct, frozen=True, kw_only=True):
    """The driver and its cards."""

    cards: tuple[Card, ...] = ()
    driver: str = ""  # its version
    cuda: str = ""  # the newest CUDA that it can run, such as 12.8
    problem: str = ""  # why nothing is known, in NVIDIA's words


def nvidia_cards(visible: str | None = None) -> Nvidia:
    """Ask the driver for its cards.

    Args:
        visible: Which of them, in the words of CUDA_VISIBLE_DEVICES; None: all.
    """
    try:
        import pynvml as driver
    except ImportError:
        return Nvidia(problem="the package nvidia-ml-py is not installed")
    nvml: Any = driver
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return Nvidia(problem=str(error))
    try:
        version = _ask(nvml, lambda: int(nvml.nvmlSystemGetCudaDriverVersion_v2()))
        return Nvidia(
            cards=tuple(_card(nvml, handle) for handle in _handles(nvml, visible)),
            driver=str(_ask(nvml, nvml.nvmlSystemGetDriverVersion) or ""),
            cuda=f"{version // 1000}.{version % 1000 // 10}" if version else "",
        )
    except nvml.NVMLError as error:
        return Nvidia(problem=str(error))
    finally:
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


def _handles(nvml: Any, visible: str | None) -> list[Any]:
    if visible is None:
        return [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
    words = [word.strip() for word in visible.split(",") if word.strip()]
    return [
        nvml.nvmlDeviceGetHandleByIndex(int(word)) if word.isdigit() else nvml.nvmlDeviceGetHandleByUUID(word)
        for word in words
    ]


def _card(nvml: Any, handle: Any) -> Card:
    memory = _ask(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    capability = _ask(nvml, lambda: nvml.nvmlDeviceGetCudaComputeCapability(handle))
    return Card(
        name=str(_ask(nvml, lambda: nvml.nvmlDeviceGetName(handle)) or ""),
        uuid=str(_ask(nvml, lambda: nvml.nvmlDeviceGetUUID(handle)) or ""),
        total=None if memory is None else int(memory.total),
        free=None if memory is None else int(memory.free),
        capability=".".join(str(number) for number in capability or ()),
    )


def _ask(nvml: Any, question: Callable[[], Any]) -> Any:
    """Return the answer; None where the card or the driver does not support the question."""
    try:
        return question()
    except nvml.NVMLError:
        return None
