"""One exposition of several processes: what each of them counted, added up. Pure.

Counters and histograms are sums, also over processes that are gone, so that none goes back. Of a gauge `RULES` says
what several values make. INVARIANT: a gauge that is not named there is refused by a test, not guessed.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from gateway.observe.metrics.exposition import number

_SUMS = frozenset({"counter", "histogram", "summary"})
# What each process has for itself is added up; of what all see alike the worst counts.
RULES: Mapping[str, Callable[[Iterable[float]], float]] = {
    "aduana_build_info": max,
    "aduana_policy_info": max,
    "aduana_ledger_up": min,
    "aduana_price_data_timestamp_seconds": min,
    "aduana_requests_in_flight": sum,
    "aduana_target_up": min,
    "aduana_breaker_open": max,
    "aduana_queue_depth": sum,
    "aduana_slots_busy": sum,
    "aduana_slots": sum,
    "aduana_model_loaded": min,
    "aduana_model_failed": max,
    "aduana_model_load_progress_ratio": min,
    "aduana_model_memory_bytes": max,
    "aduana_kv_cache_used_ratio": max,
    "aduana_server_up": min,
    "aduana_server_requests": max,
    "aduana_server_requests_waiting": max,
    "aduana_budget_limit_usd": max,
    "aduana_budget_spent_usd": max,
    "aduana_gpu_power_watts": max,
    "aduana_gpu_utilization_ratio": max,
    "aduana_gpu_memory_used_bytes": max,
    "aduana_gpu_memory_total_bytes": max,
    "aduana_gpu_temperature_celsius": max,
    "aduana_electricity_price_usd_per_kwh": max,
    "process_virtual_memory_bytes": sum,
    "process_resident_memory_bytes": sum,
    "process_start_time_seconds": min,
    "process_open_fds": sum,
    "process_max_fds": min,
}


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one process: its heading, and its samples by name and labels."""

    name: str
    kind: str
    heading: str
    samples: Mapping[str, float]


def parsed(exposition: str) -> dict[str, Family]:
    """Return the families of an exposition that one of our processes has written, in their order."""
    found: dict[str, Family] = {}
    name = kind = heading = ""
    samples: dict[str, float] = {}
    for line in exposition.splitlines():
        if line.startswith("# HELP "):
            name, kind, heading, samples = line.split(" ", 3)[2], "untyped", f"{line}\n", {}
            found[name] = Family(name=name, kind=kind, heading=heading, samples=samples)
        elif line.startswith("# TYPE "):
            kind, heading = line.rsplit(" ", 1)[1], f"{heading}{line}\n"
            found[name] = Family(name=name, kind=kind, heading=heading, samples=samples)
        elif line:
            sample, value = line.rsplit(" ", 1)
            samples[sample] = float(value)
    return found


class Summed:
    """Owner of what the processes counted that are gone. `text` adds up what the others say."""

    def __init__(self) -> None:
        self._gone: dict[str, Family] = {}

    def ended(self, last: str) -> None:
        """Keep what a process had counted when it was heard the last time."""
        self._gone = _added({name: one for name, one in parsed(last).items() if one.kind in _SUMS}, self._gone)

    def text(self, expositions: Iterable[str]) -> str:
        """Return one exposition of all that run, and of those that are gone."""
        each = [parsed(one) for one in expositions]
        whole = dict(self._gone)
        for one in each:
            whole = _added({name: family for name, family in one.items() if family.kind in _SUMS}, whole)
        for name in dict.fromkeys(name for one in each for name in one):
            if name not in whole:
                whole[name] = _gauge(name, [one[name] for one in each if name in one])
        return "".join(_lines(family) for family in whole.values())


def _added(more: Mapping[str, Family], before: Mapping[str, Family]) -> dict[str, Family]:
    sums = dict(before)
    for name, family in more.items():
        known = dict(sums[name].samples) if name in sums else {}
        for sample, value in family.samples.items():
            known[sample] = known.get(sample, 0.0) + value
        sums[name] = msgspec.structs.replace(family, samples=known)
    return sums


def _gauge(name: str, families: list[Family]) -> Family:
    rule = RULES.get(name, max)
    values: dict[str, list[float]] = {}
    for family in families:
        for sample, value in family.samples.items():
            values.setdefault(sample, []).append(value)
    return msgspec.structs.replace(families[0], samples={sample: rule(all_) for sample, all_ in values.items()})


def _lines(family: Family) -> str:
    return family.heading + "".join(f"{sample} {number(value)}\n" for sample, value in family.samples.items())
