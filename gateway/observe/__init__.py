"""Metrics, prices, energy, logs.

Owns what is counted and measured. Hears what happens; must not answer the pipeline, slow a request down or fail one.
"""

from gateway.observe.energy.active_requests import ActiveRequests
from gateway.observe.energy.sampler import EnergySampler
from gateway.observe.metrics.metrics import CONTENT_TYPE, Known, Metrics, World
from gateway.observe.prices.prices import Prices
from gateway.observe.readings import EnergyReport, GpuReading, Readings
from gateway.observe.settings import EnergySettings, PicturePrice, PricedTarget, PriceSettings, Rate, SoundPrice, Tariff

__all__ = [
    "CONTENT_TYPE",
    "ActiveRequests",
    "EnergyReport",
    "EnergySampler",
    "EnergySettings",
    "GpuReading",
    "Known",
    "Metrics",
    "PicturePrice",
    "PriceSettings",
    "PricedTarget",
    "Prices",
    "Rate",
    "Readings",
    "SoundPrice",
    "Tariff",
    "World",
]
