"""Watches: metrics, prices, energy, logs, the status page. Hears what happens and never answers the pipeline."""

from gateway.observe.metrics import CONTENT_TYPE, Known, Metrics, World
from gateway.observe.prices import Prices
from gateway.observe.readings import EnergyReport, GpuReading, Readings
from gateway.observe.sampler import Sampler
from gateway.observe.settings import EnergySettings, PricedTarget, PriceSettings, Rate, Tariff
from gateway.observe.working import Working

__all__ = [
    "CONTENT_TYPE",
    "EnergyReport",
    "EnergySettings",
    "GpuReading",
    "Known",
    "Metrics",
    "PriceSettings",
    "PricedTarget",
    "Prices",
    "Rate",
    "Readings",
    "Sampler",
    "Tariff",
    "Working",
    "World",
]
