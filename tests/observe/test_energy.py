"""Energy: whose it was, what it cost, and that the parts add up to the whole."""

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Zone
from gateway.core.progress import Progress
from gateway.core.record import RequestEnergy
from gateway.core.snapshot import Gpu
from gateway.observe import ActiveRequests, EnergySampler, EnergySettings, GpuReading, Tariff
from gateway.observe.energy.attribution import Remainder, Work, split
from gateway.observe.energy.meters import Meter, Rapl, Tick
from gateway.observe.energy.sampler import find_meters
from gateway.observe.energy.tariff import Tariffs
from tests.observe.conftest import NOON, READINGS, began, make_receipt, make_settlement, settled

positive = st.floats(0, 1e9, allow_nan=False, allow_infinity=False)


@given(
    joules=positive,
    busy=st.floats(0, 1.5, allow_nan=False),
    weights=st.dictionaries(st.text(max_size=4), positive, max_size=8),
)
def test_shares_and_idle_are_the_total(joules: float, busy: float, weights: dict[str, float]) -> None:
    """Requests' shares and the idle rest add up to the total within 1e-9, and no share is negative."""
    result = split(joules, busy, weights)
    assert math.isclose(result.request + result.idle, joules, rel_tol=1e-9, abs_tol=1e-9)
    assert all(share >= 0 for share in result.shares.values())
    assert set(result.shares) == set(weights)


@pytest.mark.parametrize(
    ("busy", "weights", "shares", "idle"),
    [
        (1.0, {"a": 3.0, "b": 1.0}, {"a": 75.0, "b": 25.0}, 0.0),
        (0.5, {"a": 3.0, "b": 1.0}, {"a": 37.5, "b": 12.5}, 50.0),
        (1.0, {"a": 0.0, "b": 0.0}, {"a": 50.0, "b": 50.0}, 0.0),
        (1.0, {}, {}, 100.0),
        (0.0, {"a": 1.0}, {"a": 0.0}, 100.0),
    ],
)
def test_who_gets_what(busy: float, weights: dict[str, float], shares: dict[str, float], idle: float) -> None:
    """By processed tokens; evenly while nobody has finished one; the time without work is idle."""
    result = split(100.0, busy, weights)
    assert dict(result.shares) == pytest.approx(shares)
    assert result.idle == pytest.approx(idle)


@given(values=st.lists(st.floats(0, 1e6, allow_nan=False), max_size=200))
def test_whole_numbers_do_not_drift(values: list[float]) -> None:
    """After any number of ticks, the integers given out are less than one behind the sum."""
    remainder = Remainder()
    given_out = sum(remainder.whole(value) for value in values)
    assert -1e-3 <= math.fsum(values) - given_out < 1 + 1e-3


class Clock:
    """Monotonic time that tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeMeter:
    """360 W, all of them counted."""

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        return (Tick(device="gpu0", source="counter", joules=360.0 * elapsed, watts=360.0),)

    def gpus(self) -> tuple[GpuReading, ...]:
        return (*READINGS.gpus, GpuReading(name="gpu1", utilization=0.1))

    def close(self) -> None:
        pass


def make_sampler(settings: EnergySettings, clock: Clock, active: ActiveRequests) -> EnergySampler:
    def meters(_: EnergySettings) -> list[Meter]:
        return [FakeMeter()]

    sampler = EnergySampler(settings, active, meters=meters, wall=lambda: NOON + clock.now, clock=clock)
    sampler.open()
    return sampler


def test_a_tick_is_split_and_paid_at_its_tariff() -> None:
    """A request that ran for 6 of 10 seconds: 60 % of the energy and of its cost; the hardware ages meanwhile."""
    clock = Clock()
    active = ActiveRequests(clock=clock)
    settings = EnergySettings(tariff=Tariff(fixed=0.25, tax=0.2), hardware_usd=31_557.6, hardware_years=1.0)
    sampler = make_sampler(settings, clock, active)
    clock.now += 2
    active.on(began())
    clock.now += 6
    active.on(settled())
    clock.now += 2
    sampler.tick()
    energy = sampler.readings().energy
    assert energy.joules == {
        ("gpu0", "request", "counter"): pytest.approx(2160.0),
        ("gpu0", "idle", "counter"): pytest.approx(1440.0),
    }
    # 3600 J are 1 Wh: at 0.30 a kWh, 300 micro-dollars.
    assert energy.electricity_micros == pytest.approx({"request": 180.0, "idle": 120.0})
    assert energy.price_per_kwh == pytest.approx(0.30)
    assert energy.hardware_micros == pytest.approx(10_000.0)  # a thousandth of a dollar a second
    owed = {(item.device, item.state): item for item in sampler.drain()}
    assert owed["gpu0", "request"].microjoules == pytest.approx(2_160_000_000, abs=1)
    assert owed["gpu0", "idle"].electricity_micros == pytest.approx(120, abs=1)
    assert owed["hardware", "idle"].hardware_micros == pytest.approx(10_000, abs=1)
    assert sampler.drain() == ()


def test_several_processes_count_the_machine_once() -> None:
    """Each of four counts a quarter of what the meters tell and of the hardware's loss; together it is the whole."""
    owed: dict[tuple[str, str], float] = {}
    for _ in range(4):
        clock = Clock()
        settings = EnergySettings(share=0.25, tariff=Tariff(fixed=0.36), hardware_usd=31_557.6, hardware_years=1.0)
        sampler = make_sampler(settings, clock, ActiveRequests(clock=clock))
        clock.now += 10
        sampler.tick()
        for item in sampler.drain():
            key = item.device, item.state
            owed[key] = owed.get(key, 0.0) + item.microjoules / 1e6 + item.hardware_micros
    assert owed.pop(("gpu0", "request")) == 0
    assert owed == {("gpu0", "idle"): pytest.approx(3600.0), ("hardware", "idle"): pytest.approx(10_000.0, abs=4)}


def test_the_engine_may_say_how_far_a_request_is() -> None:
    """Tokens that were counted in one tick are not counted again in the next."""
    clock = Clock()
    active = ActiveRequests(clock=clock)
    progress = Progress()
    active.on(began("a", progress))
    active.on(began("b"))
    progress.prefill, progress.decode = 100, 5
    clock.now += 1
    assert active.take() == (1.0, {"a": Work(prefill=100, decode=5), "b": Work()})
    progress.decode = 25
    active.on(settled(make_receipt("b")))
    clock.now += 1
    assert active.take() == (1.0, {"a": Work(decode=20), "b": Work(prefill=10, decode=7)})
    clock.now += 1
    assert active.take() == (1.0, {"a": Work()})
    active.on(settled(make_receipt("a")))
    clock.now += 3
    assert active.take()[0] == 0.0


def test_a_request_that_moves_on_to_a_cloud_draws_nothing_more_here() -> None:
    """What the local target did before it failed still counts; the cloud's tokens don't."""
    clock = Clock()
    active = ActiveRequests(clock=clock)
    progress = Progress()
    active.on(began("a", progress))
    progress.prefill = 30
    clock.now += 1
    active.on(began("a", progress, Zone.CLOUD))
    progress.decode = 50
    clock.now += 1
    assert active.take() == (0.5, {"a": Work(prefill=30)})
    active.on(settled(make_receipt("a"), make_settlement("a", target="big", zone=Zone.CLOUD)))
    clock.now += 1
    assert active.take() == (0.0, {})


steps = st.lists(
    st.tuples(
        st.sampled_from(["begin", "count", "end", "tick", "drain"]),
        st.integers(0, 3),
        st.integers(0, 400),
        st.floats(0, 0.15, allow_nan=False),
    ),
    max_size=60,
)


@given(steps=steps, price=st.floats(0, 2, allow_nan=False))
def test_requests_and_idle_are_the_total_over_any_traffic(
    steps: list[tuple[str, int, int, float]], price: float
) -> None:
    """Whoever begins, counts and ends when: Σ requests + idle = total, in the ledger's whole numbers by request too."""
    clock = Clock()
    active = ActiveRequests(clock=clock)
    sampler = make_sampler(EnergySettings(tariff=Tariff(fixed=price)), clock, active)
    running: dict[str, Progress] = {}
    told: list[RequestEnergy] = []
    number = 0
    for what, who, tokens, seconds in steps:
        clock.now += seconds
        name = next((name for name in running if name.startswith(f"{who}-")), "")
        match what:
            case "begin":
                number += 1
                running[f"{who}-{number}"] = Progress()
                active.on(began(f"{who}-{number}", running[f"{who}-{number}"]))
            case "count" if name:
                running[name].decode += tokens
            case "end" if name:
                del running[name]
                active.on(settled(make_receipt(name), make_settlement(name)))
            case "tick":
                sampler.tick()
            case _:
                told += sampler.drain_requests()
    for name in running:
        active.on(settled(make_receipt(name), make_settlement(name)))
    sampler.tick()
    sampler.tick()
    told += sampler.drain_requests()
    energy = sampler.readings().energy
    requests, idle = energy.joules["gpu0", "request", "counter"], energy.joules["gpu0", "idle", "counter"]
    assert math.isclose(requests + idle, 360.0 * (clock.now - 100.0), rel_tol=1e-9, abs_tol=1e-9)
    assert sum(item.microjoules for item in told) == pytest.approx(requests * 1e6, abs=number + 1, rel=1e-9)
    nanos = energy.electricity_micros["request"] * 1e3
    assert sum(item.electricity_nanos for item in told) == pytest.approx(nanos, abs=number + 1, rel=1e-9)


def test_a_pause_is_not_made_up() -> None:
    """A laptop that slept for an hour did not draw full power all the while."""
    clock = Clock()
    sampler = make_sampler(EnergySettings(), clock, ActiveRequests(clock=clock))
    clock.now += 3600
    sampler.tick()
    assert sampler.readings().energy.joules["gpu0", "idle", "counter"] == pytest.approx(3600.0)


def test_policies_see_the_busiest_card() -> None:
    """Before the first tick the GPU is unknown; then policies see the card with the highest load."""
    clock = Clock()
    sampler = make_sampler(EnergySettings(), clock, ActiveRequests(clock=clock))
    assert sampler.gpu() == Gpu()
    clock.now += 1
    sampler.tick()
    assert sampler.gpu() == Gpu(utilization=0.87, memory_used=11 / 24, temperature=64.0, power=212.5)


def test_an_hour_of_ticks_is_handed_over_as_one_row_a_state() -> None:
    """Thousands of ticks don't become thousands of rows, and nothing is lost between."""
    clock = Clock()
    sampler = make_sampler(EnergySettings(), clock, ActiveRequests(clock=clock))
    for _ in range(1500):
        clock.now += 1
        sampler.tick()
    owed = sampler.drain()
    assert sum(item.microjoules for item in owed) == 1500 * 360_000_000
    assert len(owed) == 2


def test_the_thread_starts_and_stops() -> None:
    """`close` waits for the sampling thread, and its readings are there."""
    sampler = EnergySampler(
        EnergySettings(period_seconds=0.01, nvml=False, rapl=False, idle_watts=30.0), ActiveRequests()
    )
    sampler.start()
    while not sampler.readings().energy.joules:
        pass
    sampler.close()
    assert set(sampler.readings().energy.joules) == {
        ("machine", "request", "estimate"),
        ("machine", "idle", "estimate"),
    }


def test_an_estimate_stands_in_only_where_nothing_can_be_measured(tmp_path: Path) -> None:
    """The estimate is used only without a meter; the wall meter's offset is counted as idle, whoever runs."""
    meters = find_meters(EnergySettings(nvml=False, rapl=False, idle_watts=40, busy_watts=240, wall_offset_watts=15))
    ticks = [tick for meter in meters for tick in meter.read(10.0, 0.5)]
    assert [(tick.device, tick.joules) for tick in ticks] == [("machine", 1400.0), ("offset", 150.0)]


def test_cpu_packages_by_their_counters(tmp_path: Path) -> None:
    """Sub-domains are part of their package; a counter that begins again is followed; one that vanishes is unknown."""
    for name, value in (("intel-rapl:0", 5_000_000), ("intel-rapl:0:0", 1), ("intel-rapl:1", 900)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(str(value))
        (tmp_path / name / "max_energy_range_uj").write_text("10000000")
    meter = Rapl(tmp_path)
    assert meter.found
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("9000000")
    (tmp_path / "intel-rapl:1" / "energy_uj").unlink()
    assert meter.read(2.0, 0.0) == [Tick(device="cpu0", source="counter", joules=4.0, watts=2.0)]
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("1000000")
    assert [tick.joules for tick in meter.read(2.0, 0.0)] == [2.0]
    assert not Rapl(tmp_path / "nothing").found


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_tariffs_by_hour_follow_local_time() -> None:
    """The price of hour 3 in Madrid applies at 02:00 UTC in winter."""
    tariffs = Tariffs(Tariff(hours=tuple(hour / 100 for hour in range(24)), timezone="Europe/Madrid"))
    assert tariffs.price(moment("2026-11-23T02:30+00:00")) == 0.03
    assert datetime.fromtimestamp(NOON, ZoneInfo("Europe/Madrid")).hour == 13
    assert tariffs.price(NOON) == 0.13


def test_tariffs_from_a_file_of_intervals(tmp_path: Path) -> None:
    """With currency and tax; unknown outside; a change is read, a broken change leaves the last good one."""
    file = tmp_path / "pvpc.csv"
    file.write_text(
        "start,end,price\n"
        "2026-11-23T21:00+01:00,2026-11-23T22:00+01:00,-0.05\n"
        "2026-11-23T20:00+01:00,2026-11-23T21:00+01:00,0.2\n"
    )
    tariffs = Tariffs(Tariff(file=file, rate=1.1, tax=0.21))
    evening = moment("2026-11-23T20:30+01:00")
    assert tariffs.price(evening) == pytest.approx(0.2 * 1.1 * 1.21)
    assert tariffs.price(evening + 3600) == pytest.approx(-0.05 * 1.1 * 1.21)
    assert tariffs.micros(3.6e6, evening + 3600) == 0.0
    assert tariffs.price(evening + 7200) is None
    assert tariffs.micros(3.6e6, evening + 7200) == 0.0
    file.write_text("2026-11-23T20:00+01:00,2026-11-24T20:00+01:00,0.5\n")
    assert tariffs.price(evening + 120 + 7200) == pytest.approx(0.5 * 1.1 * 1.21)
    file.write_text("nonsense\n")
    assert tariffs.price(evening + 240 + 7200) == pytest.approx(0.5 * 1.1 * 1.21)
    assert tariffs.problem is not None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2026-11-23T20:00,2026-11-23T21:00,0.2\n", "no offset"),
        ("start,end,price\n2026-11-23T20:00+01:00,2026-11-23T19:00+01:00,0.2\n", ":2:"),
        ("2026-11-23T20:00+01:00,2026-11-23T21:00+01:00,nan\n", ":1:"),
        ("2026-11-23T20:00+01:00,2026-11-23T21:00+01:00\n", "Write 2026"),
        (
            "2026-11-23T20:00+01:00,2026-11-23T21:00+01:00,1\n2026-11-23T20:30+01:00,2026-11-23T22:00+01:00,1\n",
            "overlap",
        ),
    ],
)
def test_a_tariff_file_that_cannot_be_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """A tariff file that can't be used is refused with file and line."""
    file = tmp_path / "prices.csv"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        Tariffs(Tariff(file=file))
    assert str(file) in caught.value.problems[0]


def test_other_tariffs_that_cannot_be() -> None:
    """A tariff of 23 hours, of an unknown time zone or with a price that is no number is refused."""
    for tariff in (Tariff(hours=(0.1,) * 23), Tariff(timezone="Mars/Olympus"), Tariff(fixed=float("nan"))):
        with pytest.raises(ConfigurationError):
            Tariffs(tariff)
