"""AMD cards by `amdsmi`, where it is installed. Power integrated over time, and says so."""

import contextlib
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from gateway.observe.energy.meters import Tick
from gateway.observe.readings import GpuReading

_MIB = 2**20


class Amd:
    """Meter for AMD cards. Without the package or a card it has a `problem` and nothing to read."""

    def __init__(self, load: Callable[[], Any] = lambda: importlib.import_module("amdsmi")) -> None:
        self._cards: list[Any] = []
        self._watts: dict[int, float] = {}
        self.problem: str | None = None
        try:
            self._smi: Any = load()
        except (ImportError, OSError, KeyError) as error:  # the package itself fails in these ways without a driver
            self._smi = None
            self.problem = f"amdsmi can't be used: {type(error).__name__}"
            return
        try:
            self._smi.amdsmi_init()
            self._cards = list(self._smi.amdsmi_get_processor_handles())
        except self._smi.AmdSmiException as error:
            self.problem = str(error)
        if not self._cards and self.problem is None:
            self.problem = "no AMD card"

    @property
    def measures(self) -> bool:
        """Tell whether a card says what it draws."""
        return any(self._power(card) is not None for card in self._cards)

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        """Return the energy of every card that answers."""
        ticks = []
        for number, card in enumerate(self._cards):
            before = self._watts.get(number)
            watts = self._power(card)
            if watts is None:
                self._watts.pop(number, None)
                continue
            self._watts[number] = watts
            mean = watts if before is None else (before + watts) / 2
            ticks.append(Tick(device=f"amd{number}", source="power", joules=mean * elapsed, watts=mean))
        return ticks

    def gpus(self) -> tuple[GpuReading, ...]:
        """Return load and memory of every card; unknown where a card does not say."""
        return tuple(self._reading(number, card) for number, card in enumerate(self._cards))

    def close(self) -> None:
        """Let the driver go."""
        if self._smi is not None:
            with contextlib.suppress(self._smi.AmdSmiException):
                self._smi.amdsmi_shut_down()
        self._cards = []

    def _reading(self, number: int, card: Any) -> GpuReading:
        smi = self._smi
        load = self._number(lambda: smi.amdsmi_get_gpu_activity(card)["gfx_activity"])
        memory = self._ask(lambda: smi.amdsmi_get_gpu_vram_usage(card)) or {}
        heat = self._number(
            lambda: smi.amdsmi_get_temp_metric(
                card, smi.AmdSmiTemperatureType.EDGE, smi.AmdSmiTemperatureMetric.CURRENT
            )
        )
        used, total = memory.get("vram_used"), memory.get("vram_total")
        return GpuReading(
            name=f"amd{number}",
            power=self._watts.get(number),
            utilization=None if load is None else load / 100,
            memory_used=int(used) * _MIB if isinstance(used, int) else None,
            memory_total=int(total) * _MIB if isinstance(total, int) else None,
            temperature=heat,
        )

    def _power(self, card: Any) -> float | None:
        info = self._ask(lambda: self._smi.amdsmi_get_power_info(card)) or {}
        for name in ("current_socket_power", "average_socket_power"):
            watts = info.get(name)
            if isinstance(watts, int | float) and watts > 0:  # unsupported fields read "N/A"
                return float(watts)
        return None

    def _number(self, question: Callable[[], Any]) -> float | None:
        answer = self._ask(question)
        return float(answer) if isinstance(answer, int | float) else None

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except self._smi.AmdSmiException:
            return None
