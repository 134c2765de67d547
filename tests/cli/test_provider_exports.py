"""Exports of providers in the shapes that they have, line for line."""

from datetime import UTC
from pathlib import Path

import pytest

from gateway.cli.provider_exports import Charged, Currency, plain_model, read_export
from gateway.core.errors import BadRequest

OPENAI_COSTS = """\
start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id
1795392000,1795478400,2026-11-23T00:00:00+00:00,2026-11-24T00:00:00+00:00,0.1250,usd,"gpt-5.4-2026-03-05, input",p,o
1795392000,1795478400,2026-11-23T00:00:00+00:00,2026-11-24T00:00:00+00:00,0.5,usd,"gpt-5.4-2026-03-05, output",p,o
"""
OPENAI_USAGE = """\
start_time,end_time,start_time_iso,end_time_iso,num_model_requests,model,input_tokens,output_tokens,input_cached_tokens
1795392000,1795478400,2026-11-23T00:00:00+00:00,2026-11-24T00:00:00+00:00,2,gpt-5.4-2026-03-05,1000,50,400
1795392000,1795478400,2026-11-23T00:00:00+00:00,2026-11-24T00:00:00+00:00,1,gpt-5.4-2026-03-05,10,5,
"""
ANTHROPIC_COST = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type
2026-11-23,Claude Opus 5.5,Default,app,standard,≤ 200k,input_no_cache,0.25,0.25,token
2026-11-23,Claude Opus 5.5,Default,app,standard,≤ 200k,output,1.00,1.00,token
"""
ANTHROPIC_USAGE = """\
usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,\
usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens
2026-11-23,claude-opus-5-5-20260901,app,Default,standard,≤ 200k,100,20,3,4000,7
"""
SPANISH = "Fecha;Modelo;Importe\n2026-11-23;gpt-5.4;1.234,50 €\n2026-11-23;gpt-5.4;0,5\n"


@pytest.mark.parametrize(
    ("text", "model", "charged"),
    [
        (OPENAI_COSTS, "gpt-5.4", Charged(micros=625_000)),
        (OPENAI_USAGE, "gpt-5.4", Charged(input=1010, output=55)),
        (ANTHROPIC_COST, "claude-opus-5-5", Charged(micros=1_250_000)),
        (ANTHROPIC_USAGE, "claude-opus-5-5", Charged(input=4123, output=7)),
    ],
    ids=["OpenAI costs", "OpenAI usage", "Anthropic cost", "Anthropic usage"],
)
def test_known_shapes_are_read_without_naming_columns(tmp_path: Path, text: str, model: str, charged: Charged) -> None:
    """Costs where there are costs, else tokens, the cached ones included once; models by their plain name."""
    file = tmp_path / "export.csv"
    file.write_text(text, encoding="utf-8")
    ((day, name), found), *rest = read_export(file, {}, UTC).items()
    assert (day.isoformat(), name, found, rest) == ("2026-11-23", model, charged, [])


def test_other_currencies_and_ways_to_write_numbers(tmp_path: Path) -> None:
    """A spreadsheet's semicolons and decimal commas; euros by the configured rate; an unknown currency is named."""
    file = tmp_path / "export.csv"
    file.write_text(SPANISH, encoding="utf-8")
    columns = {"date": "Fecha", "model": "Modelo", "cost": "Importe"}
    euros = Currency(name="EUR", per_usd=0.5)
    (found,) = read_export(file, columns, UTC, (euros, Currency())).values()
    assert found.micros == 2_470_000_000
    file.write_text(OPENAI_COSTS.replace(",usd,", ",eur,"), encoding="utf-8")
    (found,) = read_export(file, {}, UTC, (Currency(), euros)).values()
    assert found.micros == 1_250_000
    with pytest.raises(BadRequest, match=r":2: the amount is in EUR\. Write under 'prices:'"):
        read_export(file, {}, UTC)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("gpt-5.4-2026-03-05, cached input", "gpt-5.4"),
        ("openai/gpt-5.4", "gpt-5.4"),
        ("claude-opus-5-5-20260901", "claude-opus-5-5"),
        ("anthropic/claude-opus-5.5", "claude-opus-5-5"),
        ("Claude Opus 5.5", "claude-opus-5-5"),
        ("", ""),
    ],
)
def test_names_of_one_model_become_one(name: str, plain: str) -> None:
    """A model has one plain name, whether the ledger, the invoice or the provider's console writes it."""
    assert plain_model(name) == plain
