"""Thirty days of known traffic: the same cents by pen and paper, in the ledger, in the metrics and in Prometheus."""

import asyncio
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from gateway.cli import savings
from gateway.core.events import Decided, Settled
from gateway.core.labels import Zone
from gateway.core.record import Reservation, Settlement
from gateway.core.usage import MostUse, Usage
from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.reading.reports import GroupBy
from gateway.observe import (
    ActiveRequests,
    EnergySampler,
    EnergySettings,
    GpuReading,
    Known,
    Metrics,
    PricedTarget,
    Prices,
    PriceSettings,
    Rate,
    Tariff,
    World,
)
from gateway.observe.energy.meters import Meter, Tick
from tests.grafana.prometheus import running
from tests.grafana.test_expressions import panel_expressions
from tests.observe.conftest import CATALOG, make_receipt, make_settlement

DAY = 86_400
START = 1_790_812_800.0  # 2026-10-01 00:00 UTC
DAYS = 30
# Per million tokens. The reference model has a long-context step, so that the cliff is in the sums.
REFERENCE = Rate(input=0.4, output=1.6, above=200_000, above_input=0.8, above_output=3.2)
CLOUD = Rate(input=2.5, output=15.0, input_cached=0.25)
PLAN = (
    # (requests a day, target, usage)
    (40, "home", Usage(input=1500, input_cached=500, output=300, reasoning=33)),
    (2, "home", Usage(input=210_001, output=999)),
    (7, "big", Usage(input=3000, input_cached=1111, output=777)),
)
WATTS = 20.0
PRICE = 0.25  # US dollars per kWh
HARDWARE = 365.25  # US dollars over ten years: ten cents a day


def by_hand() -> dict[str, Decimal]:
    """US dollars, computed apart from the product's code; each request is rounded to the micro-dollar, half up."""
    million = Decimal(10) ** 6

    def dollars(micros: Decimal) -> Decimal:
        return micros.quantize(Decimal(1), "ROUND_HALF_UP") / million

    small = dollars(2000 * Decimal("0.4") + 333 * Decimal("1.6"))
    large = dollars(210_001 * Decimal("0.8") + 999 * Decimal("3.2"))
    cloud = dollars(3000 * Decimal("2.5") + 1111 * Decimal("0.25") + 777 * Decimal(15))
    electricity = Decimal(DAYS * DAY) * Decimal(20) / Decimal(3_600_000) * Decimal("0.25")
    return {
        "avoided": DAYS * (40 * small + 2 * large),
        "cloud": DAYS * 7 * cloud,
        "electricity": electricity,
        "hardware": Decimal(DAYS) / 10,
    }


class House:
    """The real ledger, prices, metrics and sampler on a clock that the test moves."""

    def __init__(self, directory: Path) -> None:
        self.now = START
        targets = (
            PricedTarget(name="home", zone=Zone.LOCAL, model="qwen3-32b"),
            PricedTarget(name="big", zone=Zone.CLOUD, model="gpt-5.4", base_url="https://api.openai.com/v1"),
        )
        settings = PriceSettings(reference_model="reference", overrides={"reference": REFERENCE, "gpt-5.4": CLOUD})
        self.prices = Prices(settings, targets, wall=lambda: self.now)
        self.ledger = Ledger(LedgerSettings(directory=directory, timezone="UTC"), wall=lambda: self.now)
        energy = EnergySettings(
            period_seconds=3600, tariff=Tariff(fixed=PRICE), hardware_usd=HARDWARE, hardware_years=10
        )
        self.sampler = EnergySampler(
            energy, ActiveRequests(clock=lambda: self.now), meters=self.meters, wall=self.wall, clock=self.wall
        )
        known = Known(catalog=CATALOG, version="1", reference_model="reference", providers=self.prices.providers)
        self.metrics = Metrics(known, World(readings=self.sampler.readings))
        self._count = 0

    def wall(self) -> float:
        return self.now

    def meters(self, _: EnergySettings) -> list[Meter]:
        return [_Constant()]

    async def request(self, target: str, usage: Usage) -> None:
        """One answered request, priced and recorded as the pipeline does it."""
        self._count += 1
        name = f"r{self._count}"
        zone = Zone.CLOUD if target == "big" else Zone.LOCAL
        receipt = make_receipt(name, received_at=self.now, permitted=(target,))
        estimate = self.prices.estimate(target, MostUse(prompt=usage.prompt_tokens, answers=1, limit=1000)) or 0
        await self.ledger.receive(receipt, Reservation(target=target, zone=zone, micros=estimate))
        self.metrics.on(Decided(receipt=receipt, first_zone=zone, reason="otherwise"))
        settlement: Settlement = make_settlement(
            name,
            settled_at=self.now,
            target=target,
            zone=zone,
            usage=usage,
            cost_micros=self.prices.cost(target, usage),
            avoided_micros=self.prices.avoided(target, usage),
        )
        await self.ledger.settle(settlement)
        self.metrics.on(Settled(receipt=receipt, settlement=settlement))


class _Constant:
    """A meter: always the same power."""

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        return (Tick(device="gpu0", source="counter", joules=WATTS * elapsed, watts=WATTS),)

    def gpus(self) -> tuple[GpuReading, ...]:
        return ()

    def close(self) -> None:
        pass


def backfill(text: str, now: float) -> str:
    """The money lines of an exposition with a time, as OpenMetrics wants them."""
    return "".join(
        f"{line.rsplit(' ', 1)[0].replace('{', '{job=|aduana|,instance=|gw|,').replace('|', chr(34))}"
        f" {line.rsplit(' ', 1)[1]} {now:.0f}\n"
        if "{" in line
        else f'{line.split()[0]}{{job="aduana",instance="gw"}} {line.split()[1]} {now:.0f}\n'
        for line in text.splitlines()
        if line.startswith("aduana_") and "_usd_total" in line
    )


async def live_a_month(house: House) -> dict[str, list[str]]:
    """Thirty days; returns the exposition's money lines by metric, one sample a day."""
    families: dict[str, list[str]] = {}

    def scrape() -> None:
        for line in backfill(house.metrics.render().decode(), house.now).splitlines():
            families.setdefault(line.split("{")[0], []).append(line)

    await house.ledger.open()
    house.sampler.open()
    house.sampler.tick()
    scrape()
    for _ in range(DAYS):
        await asyncio.gather(*(house.request(target, usage) for count, target, usage in PLAN for _ in range(count)))
        for _ in range(24):
            house.now += 3600
            house.sampler.tick()
        await house.ledger.accrue(house.sampler.drain())
        scrape()
    await house.ledger.close()
    return families


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, dict[str, list[str]], Path]:
    folder = tmp_path_factory.mktemp("month")
    house = House(folder)
    return house, asyncio.run(live_a_month(house)), folder


def cents(value: float | Decimal) -> int:
    return round(value * 100)


def test_the_ledger_has_it_to_the_micro_dollar(month: tuple[House, dict[str, list[str]], Path]) -> None:
    """Every sum that `aduana savings` prints; requests exactly, energy to its rounding at the tick."""
    house, _, folder = month
    report = savings.build(folder, since="2026-10-01", by=GroupBy.TARGET, zone=UTC, now=house.now + 1e-3)
    hand = by_hand()
    assert Decimal(report.total.avoided_micros) == hand["avoided"] * 10**6
    assert Decimal(report.total.cloud_micros) == hand["cloud"] * 10**6
    assert abs(report.total.electricity_micros - hand["electricity"] * 10**6) <= 2
    assert abs(report.total.hardware_micros - hand["hardware"] * 10**6) <= 2
    saved = hand["avoided"] - hand["electricity"] - hand["hardware"]
    assert cents(report.total.saved_micros / 1e6) == cents(saved)


def test_the_metrics_have_it(month: tuple[House, dict[str, list[str]], Path]) -> None:
    """The counters at the end of the month."""
    house, _, _ = month
    families, hand = house.metrics.families, by_hand()
    assert families.avoided.total() == pytest.approx(float(hand["avoided"]), abs=1e-9)
    assert families.cost.total() == pytest.approx(float(hand["cloud"]), abs=1e-9)
    energy = house.sampler.readings().energy
    assert cents(sum(energy.electricity_micros.values()) / 1e6) == cents(hand["electricity"])
    assert cents(energy.hardware_micros / 1e6) == cents(hand["hardware"])


def test_the_dashboards_expressions_have_it(month: tuple[House, dict[str, list[str]], Path], tmp_path: Path) -> None:
    """The dashboard's own panels over thirty days in a real Prometheus, to the cent."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    house, families, _ = month
    history = tmp_path / "history.txt"
    blocks = [f"# TYPE {name.removesuffix('_total')} counter\n" + "\n".join(lines) for name, lines in families.items()]
    history.write_text("\n".join(blocks) + "\n# EOF\n", encoding="utf-8")
    made = subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", str(history), str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    hand = by_hand()
    expected = {
        "Saved, $currency": hand["avoided"] - hand["electricity"] - hand["hardware"],
        "All in the cloud, $currency": hand["avoided"] + hand["cloud"],
        "Cloud cost avoided (estimated), $currency": hand["avoided"],
        "Paid to clouds, $currency": hand["cloud"],
        "Electricity, $currency": hand["electricity"],
        "Hardware, $currency": hand["hardware"],
    }
    panels = {title.removeprefix("savings: "): expression for title, expression in panel_expressions()}
    with running(tmp_path, "global: {}\n") as server:
        for title, dollars in expected.items():
            expression = panels[title]
            for name, value in (("__range", "30d"), ("rate", "1")):
                expression = expression.replace(f"${name}", value)
            for name in ("job", "instance", "model", "reference_model"):
                expression = expression.replace(f'"${name}"', '".*"')
            (value,) = server.query(expression, time=str(house.now))
            assert cents(value) == cents(dollars), title


def test_the_parts_of_the_plan_are_in_the_sums() -> None:
    """The month is not trivial: the long-context step, caches and both zones all count."""
    hand = by_hand()
    assert hand["avoided"] > hand["cloud"] > hand["electricity"] > 0
    assert msgspec.structs.asdict(PLAN[1][2])["input"] > 200_000
