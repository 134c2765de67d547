"""What the samplers know at one moment: plain data for metrics, the page and the policy."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class GpuReading(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU's last sample in base units. None is unknown."""

    name: str  # gpu0, gpu1 …
    model: str = ""
    power: float | None = None  # watts
    utilization: float | None = None  # 0..1
    memory_used: int | None = None  # bytes
    memory_total: int | None = None  # bytes
    temperature: float | None = None  # degrees Celsius


class EnergyReport(msgspec.Struct, frozen=True, kw_only=True):
    """Running totals since the process began. Money in micro-dollars."""

    joules: Mapping[tuple[str, str, str], float] = MappingProxyType({})  # (device, state, source)
    electricity_micros: Mapping[str, float] = MappingProxyType({})  # by state
    hardware_micros: float = 0.0
    price_per_kwh: float | None = None  # US dollars, now
    watts: Mapping[str, float] = MappingProxyType({})  # by device, mean of the last tick


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one tick of the sampler left behind."""

    gpus: tuple[GpuReading, ...] = ()
    energy: EnergyReport = EnergyReport()
