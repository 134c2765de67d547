"""The one thread that reads meters: energy, its cost, the hardware's loss of value, and the GPU's load for policies.

Everybody else reads the last tick's frozen result. Cost is counted at the tick, at the tariff of that moment.
"""

import threading
import time
from collections.abc import Callable, Sequence

from gateway.core.record import Accrual, RequestEnergy
from gateway.core.snapshot import Gpu
from gateway.observe.energy.accruals import Accruals
from gateway.observe.energy.active_requests import ActiveRequests
from gateway.observe.energy.amd import Amd
from gateway.observe.energy.attribution import Remainder, split, weigh
from gateway.observe.energy.meters import Estimate, Meter, Nvml, Rapl, Tick
from gateway.observe.energy.tariff import Tariffs
from gateway.observe.readings import EnergyReport, GpuReading, Readings
from gateway.observe.settings import EnergySettings

_SECONDS_PER_YEAR = 365.25 * 86_400
_STATES = ("request", "idle")
# After a pause (a laptop that slept) nobody knows what was drawn; more than this is not made up.
_LONGEST_TICKS = 10.0


def find_meters(settings: EnergySettings) -> list[Meter]:
    """Return the meters that this machine has; the configured estimate only where nothing can be measured.

    A card that tells its load and not its power is asked for the load. The estimate, where there is one, then stands
    for the whole machine, and the CPU's counters are left out: what they count is a part of it.
    """
    cards: list[Nvml | Amd] = []
    if settings.nvml and (nvml := Nvml()).problem is None:
        cards.append(nvml)
    if settings.amd and (amd := Amd()).problem is None:
        cards.append(amd)
    blind = bool(cards) and not any(card.measures for card in cards)
    meters: list[Meter] = [*cards]
    measured = bool(cards) and not blind
    if settings.rapl and not (blind and settings.idle_watts is not None) and (rapl := Rapl()).found:
        meters.append(rapl)
        measured = True
    if not measured and settings.idle_watts is not None:
        busy = settings.idle_watts if settings.busy_watts is None else settings.busy_watts
        meters.append(Estimate(idle_watts=settings.idle_watts, busy_watts=busy))
    if settings.wall_offset_watts > 0:
        meters.append(Offset(settings.wall_offset_watts))
    return meters


class Offset(Estimate):
    """Meter for what the wall meter shows beyond the devices: the same power at all times."""

    def __init__(self, watts: float) -> None:
        super().__init__(idle_watts=watts, busy_watts=watts)

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        """Return the same power as energy, whoever runs."""
        watts = self._idle
        return (Tick(device="offset", source="estimate", joules=watts * elapsed, watts=watts),)


class EnergySampler:
    """Thread that reads the meters, and its last results.

    `start` it, ask `gpu`, `readings` and `drain`, `close` it at the end. `tick` is public for tests and calibration.
    """

    def __init__(
        self,
        settings: EnergySettings,
        active: ActiveRequests,
        *,
        meters: Callable[[EnergySettings], list[Meter]] = find_meters,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the tariff; meters are looked for at the start.

        Raises:
            ConfigurationError: The tariff can't be used.
        """
        self._settings = settings
        self._active = active
        self._find = meters
        self._wall = wall
        self._clock = clock
        self._tariffs = Tariffs(settings.tariff)
        self._meters: list[Meter] = []
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.failure: str | None = None
        self._last = 0.0
        self._joules: dict[tuple[str, str, str], float] = {}
        self._electricity = dict.fromkeys(_STATES, 0.0)
        self._hardware = 0.0
        self._whole: dict[tuple[str, ...], Remainder] = {}
        self._accruals = Accruals()
        self._readings = Readings(energy=EnergyReport(electricity_micros=dict(self._electricity)))

    def start(self) -> None:
        """Begin to sample in a thread of its own. Safe to call while it runs."""
        if self.running or self._stop.is_set():
            return
        self.failure = None
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Tell whether the thread lives; `failure` says what ended it otherwise."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        """Stop sampling, after a reading that is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def readings(self) -> Readings:
        """Return the results of the last tick, frozen."""
        return self._readings

    def gpu(self) -> Gpu:
        """Return the state of the busiest card, for policies. Unknown values are None."""
        cards = self._readings.gpus
        if not cards:
            return Gpu()
        busiest = max(cards, key=lambda card: -1.0 if card.utilization is None else card.utilization)
        memory = None
        if busiest.memory_used is not None and busiest.memory_total:
            memory = busiest.memory_used / busiest.memory_total
        return Gpu(
            utilization=busiest.utilization, memory_used=memory, temperature=busiest.temperature, power=busiest.power
        )

    def electricity_price(self) -> float | None:
        """Return US dollars per kWh at the last tick, for policies; None: no tariff, or none for this hour."""
        return self._readings.energy.price_per_kwh

    def drain(self) -> tuple[Accrual, ...]:
        """Return what accrued since the last call, for the ledger, which keeps what it can't write at once."""
        return self._accruals.accruals()

    def drain_requests(self) -> tuple[RequestEnergy, ...]:
        """Return what single requests used since the last call, for the ledger, which keeps what it can't write."""
        return self._accruals.requests()

    def open(self) -> None:
        """Find the meters and take their first readings."""
        self._meters = self._find(self._settings)
        self._last = self._clock()
        self._active.take()

    def tick(self) -> None:
        """Read every meter once, split its energy and count its cost."""
        now, wall = self._clock(), self._wall()
        elapsed = now - self._last
        self._last = now
        busy, done = self._active.take()
        weights = weigh(done, prefill=self._settings.prefill_weight, decode=self._settings.decode_weight)
        counted = min(elapsed, _LONGEST_TICKS * self._settings.period_seconds)
        watts: dict[str, float] = {}
        gpus: tuple[GpuReading, ...] = ()
        for meter in self._meters:
            for tick in meter.read(counted, busy):
                joules = tick.joules * self._settings.share
                shares = split(joules, 0.0 if tick.device == "offset" else busy, weights)
                self._accruals.share(shares.shares, self._tariffs.micros(1.0, wall))
                self._count(tick, "request", shares.request, wall)
                self._count(tick, "idle", shares.idle, wall)
                if tick.watts is not None:
                    watts[tick.device] = tick.watts
            gpus += meter.gpus()
        self._lose_value(elapsed, wall)
        self._accruals.running(weights)
        self._readings = Readings(
            gpus=gpus,
            energy=EnergyReport(
                joules=dict(self._joules),
                electricity_micros=dict(self._electricity),
                hardware_micros=self._hardware,
                price_per_kwh=self._tariffs.price(wall),
                watts=watts,
            ),
        )

    def _run(self) -> None:
        try:
            self.open()
            while not self._stop.wait(self._settings.period_seconds):
                self.tick()
            self.tick()  # what ended a moment ago
        except Exception as error:  # noqa: BLE001 - a driver's surprise; whoever watches the thread begins it again
            self.failure = type(error).__name__
        finally:
            meters, self._meters = self._meters, []
            for meter in meters:
                meter.close()

    def _count(self, tick: Tick, state: str, joules: float, wall: float) -> None:
        key = (tick.device, state, tick.source)
        micros = self._tariffs.micros(joules, wall)
        self._joules[key] = self._joules.get(key, 0.0) + joules
        self._electricity[state] += micros
        self._accruals.add(
            Accrual(
                at=wall,
                device=tick.device,
                state=state,
                source=tick.source,
                microjoules=self._integer((*key, "joules"), joules * 1e6),
                electricity_micros=self._integer((*key, "money"), micros),
            )
        )

    def _lose_value(self, elapsed: float, wall: float) -> None:
        price = self._settings.hardware_usd
        if not price:
            return
        micros = self._settings.share * price * 1e6 * elapsed / (self._settings.hardware_years * _SECONDS_PER_YEAR)
        self._hardware += micros
        whole = self._integer(("hardware",), micros)
        self._accruals.add(
            Accrual(at=wall, device="hardware", state="idle", source="estimate", microjoules=0, hardware_micros=whole)
        )

    def _integer(self, key: tuple[str, ...], value: float) -> int:
        return self._whole.setdefault(key, Remainder()).whole(value)
