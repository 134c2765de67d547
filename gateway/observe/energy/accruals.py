"""What the sampler has measured and the ledger has not yet written: by hour and device, and by request.

Filled in the sampler's thread, taken on the event loop. Whole numbers go out; what was cut off is carried on.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence

from gateway.core.record import Accrual, RequestEnergy

_MANY = 1000


class Accruals:
    """Energy that waits to be written.

    While the ledger can't be written it grows by hours and requests, not by ticks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accruals: list[Accrual] = []
        self._joules: dict[str, float] = {}
        self._micros: dict[str, float] = {}
        self._running: frozenset[str] = frozenset()

    def add(self, accrual: Accrual) -> None:
        """Add energy to its hour."""
        with self._lock:
            self._accruals.append(accrual)
            if len(self._accruals) > _MANY:
                self._accruals[:] = _merged(self._accruals)

    def share(self, joules: Mapping[str, float], micros_per_joule: float) -> None:
        """Add energy (joules) to each request, with what it costs now in micro-dollars."""
        with self._lock:
            for request, share in joules.items():
                if share > 0:
                    self._joules[request] = self._joules.get(request, 0.0) + share
                    self._micros[request] = self._micros.get(request, 0.0) + share * micros_per_joule

    def running(self, requests: Iterable[str]) -> None:
        """Set which requests may still use energy; the fractions of all others are rounded when they are taken."""
        with self._lock:
            self._running = frozenset(requests)

    def accruals(self) -> tuple[Accrual, ...]:
        """Return what was added since the last call, and forget it."""
        with self._lock:
            owed, self._accruals = self._accruals, []
        return _merged(owed)

    def requests(self) -> tuple[RequestEnergy, ...]:
        """Return what each request used since the last call, in whole units; running requests keep their fractions."""
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
    """Return one sum for each hour, device, state and source."""
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
