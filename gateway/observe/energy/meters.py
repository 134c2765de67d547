"""What measures energy: NVIDIA's driver, the CPU's own counters, or an estimate.

A meter is read by the sampler's thread alone, about once a second. Reading never raises for a device that is missing
or was lost: its values become unknown, and the meter tries again later.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from gateway.observe.readings import GpuReading

RETRY_SECONDS = 30.0


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """Energy of one device since the last reading, in joules."""

    device: str
    source: str  # counter, power, estimate
    joules: float
    watts: float | None = None


class Meter(Protocol):
    """Source of energy readings.

    `elapsed` are the seconds since the last reading, `busy` (0 to 1) is the share of them in which anything ran.
    """

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        """Return the energy of each device since the last reading."""
        ...

    def gpus(self) -> tuple[GpuReading, ...]:
        """Return load and memory of each GPU that this meter knows."""
        ...

    def close(self) -> None:
        """Let the driver go."""
        ...


class Nvml:
    """Meter for NVIDIA cards: their energy counter where they have one, else power integrated over time.

    Power is an average over about a second on current cards, so the counter is the better source.
    """

    def __init__(self) -> None:
        self._nvml: Any = None
        self._cards: list[_Card] = []
        self._retry = 0.0
        self.problem: str | None = None
        self._open()

    @property
    def measures(self) -> bool:
        """Tell whether a card says what it draws: many virtual, mobile and embedded ones tell all but that."""
        return any(card.measures for card in self._cards)

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        """Return the energy of every card that answers."""
        if self._nvml is None:
            self._retry -= elapsed
            if self._retry <= 0:
                self._open()
            return ()
        ticks = []
        for card in self._cards:
            tick = card.read(elapsed)
            if tick is not None:
                ticks.append(tick)
        if self._cards and all(card.lost for card in self._cards):
            self.problem = "no GPU answers any more"
            self.close()
            self._retry = RETRY_SECONDS
        return ticks

    def gpus(self) -> tuple[GpuReading, ...]:
        """Return load and memory of every card; unknown where a card does not say."""
        return tuple(card.reading() for card in self._cards)

    def close(self) -> None:
        """Let the driver go."""
        if self._nvml is not None:
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
        self._nvml = None
        self._cards = []

    def _open(self) -> None:
        self._retry = RETRY_SECONDS
        try:
            import pynvml as nvml
        except ImportError:
            self.problem = "nvidia-ml-py is not installed"
            return
        driver: Any = nvml  # has no types
        try:
            driver.nvmlInit()
            self._cards = [_Card(driver, number) for number in range(driver.nvmlDeviceGetCount())]
        except driver.NVMLError as error:
            self.problem = str(error)
            return
        self._nvml = driver
        self.problem = None


class _Card:
    def __init__(self, nvml: Any, number: int) -> None:
        self._nvml = nvml
        self._name = f"gpu{number}"
        self._handle = nvml.nvmlDeviceGetHandleByIndex(number)
        self._model = self._ask(lambda: str(nvml.nvmlDeviceGetName(self._handle))) or ""
        self._counter = self._ask(lambda: int(nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)))
        self._has_counter = self._counter is not None
        self._watts = self._power()
        self.measures = self._has_counter or self._watts is not None
        self.lost = False

    def read(self, elapsed: float) -> Tick | None:
        before = self._watts
        self._watts = watts = self._power()
        if self._has_counter:
            last, self._counter = (
                self._counter,
                self._ask(lambda: int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))),
            )
            if last is None or self._counter is None or self._counter < last:
                return None  # lost, or the driver was loaded anew: this tick is not known
            joules = (self._counter - last) / 1000
            mean = joules / elapsed if elapsed > 0 else None
            return Tick(device=self._name, source="counter", joules=joules, watts=mean)
        if watts is None:
            return None
        mean = watts if before is None else (before + watts) / 2
        return Tick(device=self._name, source="power", joules=mean * elapsed, watts=mean)

    def reading(self) -> GpuReading:
        nvml, handle = self._nvml, self._handle
        load = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100)
        memory = self._ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        heat = self._ask(lambda: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)))
        return GpuReading(
            name=self._name,
            model=self._model,
            power=self._watts,
            utilization=load,
            memory_used=int(memory.used) if memory is not None else None,
            memory_total=int(memory.total) if memory is not None else None,
            temperature=heat,
        )

    def _power(self) -> float | None:
        watts: float | None = self._ask(lambda: self._nvml.nvmlDeviceGetPowerUsage(self._handle) / 1000)
        return watts

    def _ask(self, question: Any) -> Any:
        """Return the answer; None where the card does not support the question or is gone."""
        try:
            return question()
        except self._nvml.NVMLError as error:
            if getattr(error, "value", None) in (
                self._nvml.NVML_ERROR_GPU_IS_LOST,
                self._nvml.NVML_ERROR_UNINITIALIZED,
                self._nvml.NVML_ERROR_RESET_REQUIRED,
            ):
                self.lost = True
            return None


class Rapl:
    """Meter for CPU packages, by the kernel's powercap files. Readable by root, or by whom a udev rule allows."""

    def __init__(self, root: Path = Path("/sys/class/powercap")) -> None:
        self._last: dict[Path, int] = {}
        for package in sorted(root.glob("intel-rapl:[0-9]*")):
            if package.name.count(":") == 1 and (counter := _integer(package / "energy_uj")) is not None:
                self._last[package] = counter

    @property
    def found(self) -> bool:
        """Tell whether there is anything to read."""
        return bool(self._last)

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        """Return the energy of every package."""
        ticks = []
        for number, (package, last) in enumerate(self._last.items()):
            now = _integer(package / "energy_uj")
            if now is None:
                continue
            self._last[package] = now
            if now < last:  # the counter begins again at its range
                now += _integer(package / "max_energy_range_uj") or 0
            if now < last:
                continue
            joules = (now - last) / 1e6
            watts = joules / elapsed if elapsed > 0 else None
            ticks.append(Tick(device=f"cpu{number}", source="counter", joules=joules, watts=watts))
        return ticks

    def gpus(self) -> tuple[GpuReading, ...]:
        """Return nothing: a CPU is no GPU."""
        return ()

    def close(self) -> None:
        """Do nothing: no file is held open."""


class Estimate:
    """Meter that reckons with two configured powers, for hardware that can't be measured."""

    def __init__(self, *, idle_watts: float, busy_watts: float) -> None:
        self._idle = idle_watts
        self._busy = busy_watts

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        """Return energy between idle and busy, by the share of time with work in it."""
        watts = self._idle + (self._busy - self._idle) * min(max(busy, 0.0), 1.0)
        return (Tick(device="machine", source="estimate", joules=watts * elapsed, watts=watts),)

    def gpus(self) -> tuple[GpuReading, ...]:
        """Return nothing: what is estimated is the whole machine."""
        return ()

    def close(self) -> None:
        """Do nothing: nothing is held open."""


def _integer(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
