"""What the sampler has measured and the ledger has not yet written: by hour and device, and by request.

Filled in the sampler's thread, taken on the event loop. Whole numbers go out; what was cut off is carried on.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence

from gateway.core.record import Accrual, RequestEnergy

_MANY = 1000


class Accruals:
    """Grows while the ledger can't be written, by hours and requests, not by ticks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accruals: list[Accrual] = []
        self._joules: dict[str, float] = {}
        self._micros: dict[str, float] = {}
        self._running: frozenset[str] = frozenset()

    def add(self, accrual: Accrual) -> None:
        """One more for its hour."""
        with self._lock:
            self._accruals.append(accrual)
            if len(self._accruals) > _MANY:
                self._accruals[:] = _merged(self._accruals)

    def share(self, joules: Mapping[str, float], micros_per_joule: float) -> None:
        """Energy by request, and what it costs now in micro-dollars."""
        with self._lock:
            for request, share in joules.items():
                if share > 0:
                    self._joules[request] = self._joules.get(request, 0.0) + share
                    self._micros[request] = self._micros.get(request, 0.0) + share * micros_per_joule

    def running(self, requests: Iterable[str]) -> None:
        """Those that may still draw something; the fractions of all others are rounded."""
        with self._lock:
            self._running = frozenset(requests)

    def accruals(self) -> tuple[Accrual, ...]:
        """What accrued since the last call."""
        with self._lock:
            owed, self._accruals = self._accruals, []
        return _merged(owed)

    def requests(self) -> tuple[RequestEnergy, ...]:
        """What requests drew since the last call."""
        with self._lock:
            taken = []
            for request, joules in list(self._joules.items()):
                micros = self._micros[request]
                if request in self._running:
                    whole, nanos = int(joules * 1e6), int(micros * 1e3)
                    self._joules[request], self._micros[request] = joules - whole / 1e6, micros - nanos / 1e3
                else:
                    whole, nanos = round(joules * 1e6), round(micros * 1e3)
                    del self._joules[request], self._micros[request]
                if whole or nanos:
                    taken.append(RequestEnergy(request_id=request, microjoules=whole, electricity_nanos=nanos))
        return tuple(taken)


def _merged(accruals: Sequence[Accrual]) -> tuple[Accrual, ...]:
    """One for each hour, device, state and source."""
    merged: dict[tuple[int, str, str, str], Accrual] = {}
    for item in accruals:
        key = (int(item.at // 3600), item.device, item.state, item.source)
        before = merged.get(key)
        if before is not None:
            item = Accrual(
                at=item.at,
                device=item.device,
                state=item.state,
                source=item.source,
                microjoules=before.microjoules + item.microjoules,
                electricity_micros=before.electricity_micros + item.electricity_micros,
                hardware_micros=before.hardware_micros + item.hardware_micros,
            )
        merged[key] = item
    return tuple(merged.values())
