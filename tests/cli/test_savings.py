"""`aduana savings`: its figures, its shapes, and its plain refusals."""

import csv
import io
import json
import sqlite3
from datetime import UTC
from pathlib import Path

import msgspec
import pytest

from gateway.cli import savings
from gateway.core.errors import AduanaError, BadRequest, LedgerUnavailable
from gateway.core.record import Savings
from gateway.ledger.reading.reports import GroupBy
from tests.cli.house import fill, parse
from tests.observe.conftest import NOON


def test_the_sums_are_exact(state: Path) -> None:
    """Avoided 12, electricity 0.7, hardware 1.3: saved 10. A failed answer avoided nothing; an unpriced one counts."""
    report = savings.build(state, since="3d", by=GroupBy.APP, zone=UTC, now=NOON + 60)
    plain = savings.as_json(report)
    assert {name: plain[name] for name in plain if name.endswith("_usd")} == {
        "avoided_usd": 12.0,
        "cloud_usd": 0.5,
        "electricity_usd": 0.7,
        "hardware_usd": 1.3,
        "saved_usd": 10.0,
    }
    assert (plain["requests"], plain["local"], plain["cloud"], plain["refused"]) == (11, 7, 3, 1)
    assert plain["unpriced"] == 1
    assert [(group["name"], group["requests"], group["avoided_usd"]) for group in plain["groups"]] == [
        ("laptop", 8, 12.0),
        ("phone", 3, 0.0),
    ]
    assert [(day["name"], day["avoided_usd"]) for day in plain["days"]][-3:] == [
        ("2026-11-21", 6.0),
        ("2026-11-22", 4.0),
        ("2026-11-23", 2.0),
    ]


@pytest.mark.parametrize("by", list(GroupBy))
def test_every_grouping_adds_up_to_the_total(state: Path, by: GroupBy) -> None:
    """By whatever the lines are grouped, their sums are those of the report."""
    report = savings.build(state, since="2026-11-01", by=by, zone=UTC, now=NOON + 60)
    assert sum(group.requests for group in report.groups) == report.total.requests == 11
    assert sum(group.avoided_micros for group in report.groups) == report.total.avoided_micros
    assert sum(day.cost_micros for day in report.days) == report.total.cloud_micros


def test_the_period_cuts(state: Path) -> None:
    """With --since 12h, only today's requests count."""
    report = savings.build(state, since="12h", by=GroupBy.APP, zone=UTC, now=NOON + 60)
    assert report.total.avoided_micros == 2_000_000


@pytest.mark.parametrize(
    ("total", "sentence"),
    [
        (Savings(requests=3), "No request was sensitive"),
        (Savings(requests=3, sensitive=2), "2 of them sensitive, none of which left"),
        (Savings(requests=3, sensitive=2, sensitive_left=1), "2 of them sensitive, of which 1 LEFT"),
    ],
)
def test_whether_anything_sensitive_left_is_said(total: Savings, sentence: str) -> None:
    """Every report says in words whether anything sensitive left."""
    assert savings.what_left(total) == sentence


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0.00"), (1_500_000, "1.50"), (-20_000, "-0.0200"), (43_200, "0.0432"), (20, "<0.0001"), (2e9, "2,000.00")],
)
def test_small_amounts_do_not_vanish(micros: float, text: str) -> None:
    """Amounts below a cent are shown with more digits: so small is what a home saves in a day."""
    assert savings.amount(micros, 1.0) == text


@pytest.mark.parametrize("shape", [[], ["--json"], ["--csv"], ["--by", "rule"], ["--by", "target", "--csv"]])
def test_the_command_prints_and_shows_no_content(
    state: Path, capsys: pytest.CaptureFixture[str], shape: list[str]
) -> None:
    """Every shape parses; what a request's facts hold is nowhere; a formula in a name is disarmed."""
    assert savings.run(parse(savings, "--since", "2026-11-01", *shape)) == 0
    out = capsys.readouterr().out
    assert "CANARY" not in out
    if "--json" in shape:
        assert json.loads(out)["by"] == "app"
    elif "--csv" in shape:
        lines = list(csv.reader(io.StringIO(out)))
        assert len({len(line) for line in lines}) == 1
        assert lines[0][0] == (shape[1] if "--by" in shape else "app")
    else:
        assert "Saved" in out
    if "rule" in shape:
        assert savings.as_csv(savings.build(state, since="30d", by=GroupBy.RULE, zone=UTC, now=NOON + 60))[1][0] in (
            "otherwise",
            "'=cmd|' /C calc'!A0",
        )


def test_a_negative_saving_is_said(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A saving below zero is told as such: hours in which the machine idled cost money and avoided none."""
    report = savings.build(state, since="2026-11-23", by=GroupBy.APP, zone=UTC, now=NOON - 60)
    assert report.total.saved_micros == -2_000_000
    savings.show(report)
    assert "-2.00" in capsys.readouterr().out


def test_times_that_cannot_be_read_are_refused(state: Path, tmp_path: Path) -> None:
    """A time that can't be read is refused with the forms that can; a state directory without a ledger is named."""
    with pytest.raises(BadRequest, match="30d, 12h, 2w"):
        savings.build(state, since="yesterday", by=GroupBy.APP, zone=UTC, now=NOON)
    with pytest.raises(LedgerUnavailable, match="no ledger at"):
        savings.build(tmp_path / "elsewhere", since="1d", by=GroupBy.APP, zone=UTC, now=NOON)


async def test_electricity_that_nobody_measured_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a meter, or without a tariff, no 0.00 is made up: the report and JSON say that it is unknown, and why."""
    await fill(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as ledger:
        ledger.execute("DELETE FROM energy")
    ledger.close()
    report = savings.build(tmp_path, since="3d", by=GroupBy.APP, zone=UTC, now=NOON + 60)
    savings.show(report)
    out = " ".join(capsys.readouterr().out.split())
    assert "Electricity, idle time included unknown" in out
    assert "Electricity is unknown: nothing here measured" in out
    assert "Wh" not in out
    assert savings.as_json(report)["electricity_usd"] is None
    metered = msgspec.structs.replace(report, microjoules=5_000_000_000, tariff=False)
    assert "energy.tariff" in metered.electricity_unknown
    assert not msgspec.structs.replace(metered, tariff=True).electricity_unknown


def test_bars_stand_on_one_scale_and_fit(state: Path) -> None:
    """A dollar that was avoided is as high as one that was paid; half a year fits into 80 columns."""
    report = savings.build(state, since="3d", by=GroupBy.APP, zone=UTC, now=NOON + 60)
    title, avoided, paid = savings.by_day(report, 80)
    assert "one scale" in title
    assert "6.00" in title
    assert "█" in avoided
    assert "█" not in paid
    long = savings.build(state, since="180d", by=GroupBy.APP, zone=UTC, now=NOON + 60)
    title, *bars = savings.by_day(long, 80)
    assert "a bar is 3 days" in title
    assert all(len(line) <= 80 for line in bars)


def test_errors_are_the_commands_own(state: Path) -> None:
    """Whatever goes wrong is an AduanaError, which the command prints as one line."""
    with pytest.raises(AduanaError):
        savings.run(parse(savings, "--since", "never"))
