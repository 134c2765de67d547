"""The world at the moment of a decision, frozen, so that deciding is a pure function."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from gateway.core.target import TargetState


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU's last sample. None means unknown."""

    utilization: float | None = None  # 0..1
    memory_used: float | None = None  # 0..1
    temperature: float | None = None  # degrees Celsius
    power: float | None = None  # watts


class Budget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was spent in the running period and is set aside, in US dollars. `limit` None: no limit."""

    spent: float = 0.0
    limit: float | None = None
    resets: datetime | None = None  # when the next period begins
    unpriced: bool = False  # whether a target without a known price may be asked while anything is left


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that change from moment to moment. Whatever is missing or None is unknown to the policy."""

    now: datetime | None = None  # local time with time zone
    gpu: Gpu = Gpu()  # the busiest card
    targets: Mapping[str, TargetState] = MappingProxyType({})
    electricity_price: float | None = None  # US dollars per kWh
    budgets: Mapping[str, Budget] = MappingProxyType({})  # "day", "month", "key:<name>"
    prompt_tokens: Mapping[str, int] = MappingProxyType({})  # exact count by target name, where one is known
    prompt_tokens_estimate: int | None = None
    language: str | None = None  # ISO 639-1 code of the last turn's text
    prices: Mapping[str, float] = MappingProxyType({})  # estimated US dollars of this request by target name
