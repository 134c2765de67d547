"""`energy:`: meters, hardware and the tariff."""

from pathlib import Path

from pydantic import Field

from gateway.settings.section import Section


class TariffConfig(Section):
    """What a kilowatt-hour costs. The first that is set counts: file, hours, fixed."""

    fixed: float | None = Field(default=None, ge=0)
    """The same at all times."""
    hours: tuple[float, ...] = ()
    """24 prices, one for each hour of the local day."""
    file: Path | None = None
    """CSV of intervals: `start,end,price`, times in ISO 8601 with offset, for example from PVPC."""
    rate: float = Field(default=1.0, gt=0)
    """US dollars in one unit of these prices, where they are in another currency."""
    tax: float = Field(default=0.0, ge=0)
    """Share on top, 0.21 for 21 %."""

    @property
    def is_set(self) -> bool:
        """Return whether there is a price."""
        return self.fixed is not None or bool(self.hours) or self.file is not None


class EnergyConfig(Section):
    """What the hardware draws and what it costs."""

    period_seconds: float = Field(default=1.0, ge=0.2, le=60)
    """Time between samples."""
    nvml: bool = True
    """Ask NVIDIA's driver."""
    amd: bool = True
    """Ask AMD's driver, where `amdsmi` is installed."""
    rapl: bool = True
    """Ask the CPU's own counters, where they are readable."""
    idle_watts: float | None = Field(default=None, ge=0)
    """Estimate where nothing can be measured, or the card does not say what it draws: power when nothing runs."""
    busy_watts: float | None = Field(default=None, ge=0)
    """The same while local requests run."""
    wall_offset_watts: float = Field(default=0.0, ge=0)
    """What the wall meter shows beyond the measured devices."""
    prefill_weight: float = Field(default=1.0, gt=0)
    """Energy of one prompt token, in the unit of `decode_weight`. `aduana calibrate` measures both."""
    decode_weight: float = Field(default=8.0, gt=0)
    """Energy of one generated token."""
    hardware_usd: float | None = Field(default=None, ge=0)
    """What the hardware cost, for its amortisation."""
    hardware_years: float = Field(default=4.0, gt=0)
    """Years over which it is written off."""
    tariff: TariffConfig = TariffConfig()
    """Price of electricity."""
