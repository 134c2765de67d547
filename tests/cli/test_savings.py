"""`aduana savings`, `reconcile` and `calibrate`: their figures, their shapes, and their plain refusals."""

import argparse
import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import calibrate, reconcile, savings
from gateway.cli.provider_exports import read_export
from gateway.core.errors import AduanaError, BadRequest, LedgerUnavailable, Unavailable
from gateway.core.labels import Label, Zone
from gateway.core.record import Accrual, Outcome, Receipt, Savings, Settlement
from gateway.core.usage import Usage
from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.reports import GroupBy
from gateway.observe import GpuReading
from gateway.observe.energy.meters import Tick
from tests.observe.conftest import NOON, make_receipt, make_settlement

DAY = 86_400
CANARY = "CANARY-sk-3f9a"


async def fill(directory: Path) -> None:
    """Three days: local and cloud answers, a refusal, a failure, an unpriced one."""
    ledger = Ledger(
        LedgerSettings(directory=directory, unpriced_targets=frozenset({"odd"})), wall=lambda: NOON - 2 * DAY
    )
    await ledger.open()

    async def one(receipt: Receipt, settlement: Settlement) -> None:
        await ledger.receive(receipt, None)
        await ledger.settle(settlement)

    for number in range(6):
        at = NOON - number % 3 * DAY
        await one(
            make_receipt(f"l{number}", received_at=at - 1, key="laptop", facts=CANARY.encode()),
            make_settlement(f"l{number}", settled_at=at, avoided_micros=1_000_000 * (number % 3 + 1)),
        )
    cloud = {"target": "big", "zone": Zone.CLOUD, "avoided_micros": None, "usage": Usage(input=100, output=50)}
    for number in range(2):
        at = NOON - number * DAY
        await one(
            make_receipt(f"c{number}", key="phone", rule="=cmd|' /C calc'!A0", received_at=at),
            make_settlement(f"c{number}", settled_at=at, cost_micros=250_000, **cloud),
        )
    refused = {"outcome": Outcome.REFUSED, "target": None, "zone": None, "avoided_micros": None, "usage": Usage()}
    await one(make_receipt("r", label=Label.SENSITIVE, permitted=()), make_settlement("r", settled_at=NOON, **refused))
    await one(make_receipt("f"), make_settlement("f", settled_at=NOON, outcome=Outcome.ERROR, avoided_micros=9_000_000))
    await one(make_receipt("u", key="phone"), make_settlement("u", settled_at=NOON, **{**cloud, "target": "odd"}))
    await ledger.accrue(
        [
            Accrual(
                at=NOON - 7200,
                device="gpu0",
                state="request",
                source="counter",
                microjoules=3_600_000_000,
                electricity_micros=700_000,
                hardware_micros=1_300_000,
            )
        ]
    )
    await ledger.close()


def parse(module: ModuleType, *arguments: str) -> argparse.Namespace:
    """The arguments as the command sees them."""
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    parsed: argparse.Namespace = parser.parse_args([module.__name__.rsplit(".", 1)[-1], *arguments])
    return parsed


@pytest.fixture
async def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A filled state directory, chosen by the environment."""
    directory = tmp_path / "state"
    await fill(directory)
    monkeypatch.setenv("ADUANA_STATE_DIR", str(directory))
    monkeypatch.chdir(tmp_path)
    return directory


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
    """Whatever the lines are, their sums are the report's."""
    report = savings.build(state, since="2026-11-01", by=by, zone=UTC, now=NOON + 60)
    assert sum(group.requests for group in report.groups) == report.total.requests == 11
    assert sum(group.avoided_micros for group in report.groups) == report.total.avoided_micros
    assert sum(day.cost_micros for day in report.days) == report.total.cloud_micros


def test_the_period_cuts(state: Path) -> None:
    """Half a day back only today's requests count."""
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
    """In words, in every report."""
    assert savings.what_left(total) == sentence


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0.00"), (1_500_000, "1.50"), (-20_000, "-0.0200"), (43_200, "0.0432"), (20, "<0.0001"), (2e9, "2,000.00")],
)
def test_small_amounts_do_not_vanish(micros: float, text: str) -> None:
    """Cents and less are what a home saves in a day."""
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
    """Hours in which the machine idled cost money and avoided none."""
    report = savings.build(state, since="2026-11-23", by=GroupBy.APP, zone=UTC, now=NOON - 60)
    assert report.total.saved_micros == -2_000_000
    savings.show(report)
    assert "-2.00" in capsys.readouterr().out


def test_times_that_cannot_be_read_are_refused(state: Path, tmp_path: Path) -> None:
    """With the forms that can; and a state directory without a ledger is named."""
    with pytest.raises(BadRequest, match="30d, 12h, 2w"):
        savings.build(state, since="yesterday", by=GroupBy.APP, zone=UTC, now=NOON)
    with pytest.raises(LedgerUnavailable, match="no ledger at"):
        savings.build(tmp_path / "elsewhere", since="1d", by=GroupBy.APP, zone=UTC, now=NOON)


@given(values=st.lists(st.floats(-1e9, 1e9, allow_nan=False), max_size=60))
def test_a_sparkline_has_one_bar_for_each_value(values: list[float]) -> None:
    """Also for days without anything."""
    assert len(savings.sparkline(values)) == len(values)


INVOICE = """Date,Model,Cost
2026-11-23,"gpt-5.4-2026-03-05, input",0.15
2026-11-23,"gpt-5.4-2026-03-05, output",0.11
2026-11-22,gpt-5.4,0.25
2026-11-22,whisper-1,0.02
"""


def write_invoice(folder: Path, text: str = INVOICE) -> Path:
    file = folder / "invoice.csv"
    file.write_text(text)
    return file


def test_the_invoice_is_matched_by_day_and_model(state: Path) -> None:
    """Snapshots and line items belong to their model; what one side lacks is a line of its own."""
    invoice = read_export(write_invoice(state), {}, UTC)
    lines = reconcile.compare(state, invoice, {"big": "openai/gpt-5.4", "odd": "odd-model"}, UTC)
    assert [
        (line.day.isoformat(), line.model, line.ledger_micros, line.invoice_micros, line.requests, line.unpriced)
        for line in lines
    ] == [
        ("2026-11-22", "gpt-5.4", 250_000, 250_000, 1, 0),
        ("2026-11-22", "whisper-1", 0, 20_000, 0, 0),
        ("2026-11-23", "gpt-5.4", 250_000, 260_000, 1, 0),
        ("2026-11-23", "odd-model", 0, None, 1, 1),
    ]


def test_reconcile_says_whether_the_drift_is_fine(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 beyond the tolerance, 0 within."""
    config = state / "aduana.yaml"
    config.write_text(
        "targets:\n  big: {kind: openai, zone: cloud, base_url: 'https://api.openai.com/v1', model: gpt-5.4}\n"
    )
    file = str(write_invoice(state))
    assert reconcile.run(parse(reconcile, file, "--config", str(config))) == 1
    assert "beyond the tolerance" in capsys.readouterr().out
    assert reconcile.run(parse(reconcile, file, "--config", str(config), "--tolerance", "10", "--json")) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["within_tolerance"] is True
    assert answer["drift_percent"] == pytest.approx(100 * 0.03 / 0.53, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no lines"),
        ("a,b\n1,2\n", "no column for the date"),
        ("date,model,cost\nsoon,m,1\n", r":2: the date or the cost"),
        ("date,model,cost\n2026-11-23,m,one\n", r":2: the date or the cost"),
        ("date,model\n2026-11-23,m\n", "--cost-column"),
    ],
)
def test_an_invoice_that_cannot_be_read_says_where(tmp_path: Path, text: str, problem: str) -> None:
    """File, line, and which option names the column."""
    with pytest.raises(BadRequest, match=problem):
        read_export(write_invoice(tmp_path, text), {}, UTC)


def test_columns_can_be_named_and_times_have_zones(tmp_path: Path) -> None:
    """Unix seconds and ISO times with offset both become days of the export's zone."""
    text = f"when,what,usd paid\n{int(NOON)},m,$1.5\n2026-11-23T23:30:00-05:00,m,2\n"
    columns = {"date": "when", "model": "what", "cost": "usd paid"}
    invoice = read_export(write_invoice(tmp_path, text), columns, UTC)
    assert {(day.isoformat(), model): charged.micros for (day, model), charged in invoice.items()} == {
        ("2026-11-23", "m"): 1_500_000,
        ("2026-11-24", "m"): 2_000_000,
    }


@given(
    a=st.floats(0.001, 10),
    b=st.floats(0.001, 100),
    idle=st.floats(1, 300),
    prompts=st.tuples(st.integers(1000, 100_000), st.integers(1, 50)),
    answers=st.tuples(st.integers(1, 200), st.integers(1000, 50_000)),
)
def test_the_weights_of_known_loads_are_found(
    a: float, b: float, idle: float, prompts: tuple[int, int], answers: tuple[int, int]
) -> None:
    """Energy made of known costs a token gives those costs back."""

    def load(tokens: tuple[int, int]) -> calibrate.Run:
        joules = idle * 20 + a * tokens[0] + b * tokens[1]
        return calibrate.Run(seconds=20, joules=joules, prefill=tokens[0], decode=tokens[1])

    result = calibrate.solve(
        calibrate.Run(seconds=20, joules=idle * 20, prefill=0, decode=0), load(prompts), load(answers)
    )
    assert math.isclose(result.prefill_weight, a, rel_tol=1e-3, abs_tol=1e-3)
    assert math.isclose(result.decode_weight, b, rel_tol=1e-3, abs_tol=1e-3)
    assert math.isclose(result.idle_watts, idle, rel_tol=1e-9)


@pytest.mark.parametrize("joules", [0.0, 400.0])
def test_a_load_that_did_not_show_is_refused(joules: float) -> None:
    """Rather than writing weights that are noise."""
    idle = calibrate.Run(seconds=10, joules=400, prefill=0, decode=0)
    same = calibrate.Run(seconds=10, joules=joules, prefill=1000, decode=10)
    other = calibrate.Run(seconds=10, joules=joules, prefill=10, decode=1000)
    with pytest.raises(Unavailable, match="not above idle"):
        calibrate.solve(idle, same, other)
    with pytest.raises(Unavailable, match="do not differ"):
        calibrate.solve(idle, same, same)


class Bench:
    """A clock, a meter and a machine: 50 W idle, 0.5 J a prompt token, 4 J a generated one."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pending = 0.0

    def clock(self) -> float:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.pending += 50 * seconds

    def ask(self, prompt: int, answer: int) -> Callable[[], tuple[int, int]]:
        def work() -> tuple[int, int]:
            self.pass_time(1.0)
            self.pending += 0.5 * prompt + 4 * answer
            return prompt, answer

        return work

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        joules, self.pending = self.pending, 0.0
        return (Tick(device="gpu0", source="counter", joules=joules),)

    def gpus(self) -> tuple[GpuReading, ...]:
        return ()

    def close(self) -> None:
        pass


def test_a_whole_calibration() -> None:
    """Idle, prompts, answers: the machine's own figures come out."""
    bench = Bench()
    result = calibrate.measure(
        [bench], 10, bench.ask(2000, 1), bench.ask(8, 256), clock=bench.clock, sleep=bench.pass_time
    )
    assert result.idle_watts == pytest.approx(50)
    assert result.prefill_weight == pytest.approx(0.5)
    assert result.decode_weight == pytest.approx(4.0)
    assert result.busy_watts == pytest.approx(50 + 8 * 0.5 + 256 * 4, rel=0.1)


def test_the_result_goes_into_the_file_and_comments_stay(tmp_path: Path) -> None:
    """Only the four fields change."""
    file = tmp_path / "aduana.yaml"
    file.write_text("# my house\nenergy:\n  idle_watts: 1 # guessed\n  hardware_usd: 2000\n")
    result = calibrate.Calibration(idle_watts=51.5, busy_watts=310, prefill_weight=0.4, decode_weight=3.2)
    calibrate.write(file, result)
    text = file.read_text()
    assert "# my house" in text
    assert "idle_watts: 51.5" in text
    assert "hardware_usd: 2000" in text
    assert "decode_weight: 3.2" in text
    from gateway.settings import load_settings

    assert load_settings(file).energy.decode_weight == 3.2


def test_without_a_meter_calibrate_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and the two settings that help."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calibrate, "find_meters", lambda settings: [])
    assert calibrate.run(parse(calibrate)) == 2
    assert "energy.idle_watts" in capsys.readouterr().err


def test_errors_are_the_commands_own(state: Path) -> None:
    """What goes wrong is an AduanaError, which the command prints as one line."""
    with pytest.raises(AduanaError):
        savings.run(parse(savings, "--since", "never"))
