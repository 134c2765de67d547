"""Watches: metrics, prices, energy, logs, the status page. Hears what happens and never answers the pipeline."""

from gateway.observe.metrics import CONTENT_TYPE, Known, Metrics, World
from gateway.observe.readings import EnergyReport, GpuReading, Readings
from gateway.observe.settings import EnergySettings, PriceSettings, Rate, Tariff

__all__ = [
    "CONTENT_TYPE",
    "EnergyReport",
    "EnergySettings",
    "GpuReading",
    "Known",
    "Metrics",
    "PriceSettings",
    "Rate",
    "Readings",
    "Tariff",
    "World",
]
