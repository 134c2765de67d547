"""`aduana reconcile`: a cloud's invoice beside the ledger, by day and model."""

import json
from datetime import UTC
from pathlib import Path

import pytest

from gateway.cli import reconcile
from gateway.cli.provider_exports import read_export
from gateway.core.errors import BadRequest
from tests.cli.house import parse
from tests.observe.conftest import NOON

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
    """The exit status is 0 within the tolerance and 1 beyond it."""
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
    """An invoice that can't be read is an error with file and line, and with the option that names a column."""
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
