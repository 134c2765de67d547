"""A plan as a table: one column for each card."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gateway.cli.plan.estimate import Range
from gateway.cli.plan.report import Plan, PlannedCard
from gateway.cli.plan.words import advised, say, told

Row = tuple[str, list[str]]
_COLUMN = 14  # characters that the widest cell takes


def rows(plan: Plan) -> list[Row]:
    """Return the lines of the table: what, and a cell for each card."""
    wanted = plan.wanted

    def line(what: str, cell: Callable[[PlannedCard], str]) -> Row:
        return what, [cell(one) for one in plan.cards]

    found = [
        line(say("Fits"), lambda one: say("yes") if one.fit.fits else say("no")),
        line(say("GB of memory"), lambda one: f"{one.fit.need / 1e9:.1f} / {one.fit.room / 1e9:.1f}"),
        line(say("Requests x window"), lambda one: _if_it_fits(one, f"{one.fit.slots} x {one.fit.context:,}")),
        line(say("Answer tokens/s"), lambda one: _if_it_fits(one, f"{one.speed.answer.expected:,.0f}")),
        line("  " + say("plausible"), lambda one: _range(one.speed.answer, one)),
        line("  " + say("roof"), lambda one: _if_it_fits(one, f"{one.speed.roof:,.0f}")),
        line(say("Prompt tokens/s"), lambda one: _if_it_fits(one, f"{one.speed.prompt.expected:,.0f}")),
        line("  " + say("plausible"), lambda one: _range(one.speed.prompt, one)),
        line(say("Hours a day"), lambda one: _if_it_fits(one, f"{one.work.hours.expected:.1f}")),
    ]
    if any(one.work.at_once > 1 for one in plan.cards):
        found.append(line("  " + say("needs at once"), lambda one: _if_it_fits(one, f"{one.work.at_once}")))
    found += [
        line(say("Watts, work / idle"), lambda one: f"{one.place.watts_at_work:.0f} / {one.place.watts_idle:.0f}"),
        line(say("kWh a day"), lambda one: _if_it_fits(one, f"{one.work.kwh:.1f}")),
        line("  " + say("of them idle"), lambda one: _if_it_fits(one, f"{one.work.kwh_idle:.1f}")),
    ]
    if wanted.tariff is not None:
        found.append(line(say("Electricity a month"), lambda one: _money(one, one.electricity_month)))
        found.append(line("  " + say("a million tokens"), lambda one: _money(one, one.million)))
    if wanted.hardware:
        found.append(line(say("Hardware"), lambda one: f"{one.hardware:,.0f}"))
    if wanted.hardware and wanted.tariff is not None:
        found.append((say("Paid back against"), [""] * len(plan.cards)))
        found += [
            (f"  {short(cloud.model)}", [_payback(one, cloud.model) for one in plan.cards])
            for cloud in plan.clouds
            if cloud.month is not None
        ]
    return found


def short(model: str) -> str:
    """Return a cloud model's name without its provider."""
    return model.rsplit("/", 1)[-1]


def _if_it_fits(one: PlannedCard, text: str) -> str:
    return text if one.fit.fits else "-"


def _range(value: Range, one: PlannedCard) -> str:
    return _if_it_fits(one, f"{value.low:,.0f}–{value.high:,.0f}")


def _money(one: PlannedCard, value: float | None) -> str:
    return "-" if value is None or not one.fit.fits else f"{value:,.2f}"


def _payback(one: PlannedCard, model: str) -> str:
    return told(one.payback[model]) if model in one.payback else "-"


def show(plan: Plan) -> None:
    """Print the plan."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    wanted = plan.wanted
    console = Console(highlight=False)
    tokens = wanted.load.prompt + wanted.load.answer
    share = wanted.load.prompt / tokens
    console.print(
        say(
            "{model}, {size} GB; {tokens} tokens a day, {share} of them in prompts. Money in {currency}. Expected from "
            "data sheets, not measured.",
            model=wanted.subject.title,
            size=f"{wanted.subject.bytes / 1e9:.1f}",
            tokens=f"{tokens:,.0f}",
            share=f"{share:.0%}",
            currency=wanted.currency,
        )
    )
    lines = rows(plan)
    label = max(len(what) for what, _ in lines)
    beside = max(1, (console.width - label) // _COLUMN)
    for first in range(0, len(plan.cards), beside):
        table = Table(box=None, pad_edge=False)
        table.add_column("", no_wrap=True)
        for one in plan.cards[first : first + beside]:
            table.add_column(Text(one.place.title), justify="right", min_width=_COLUMN - 1)
        for what, cells in lines:
            table.add_row(what, *(Text(cell) for cell in cells[first : first + beside]))
        console.print()
        console.print(table)
    for one in plan.cards:
        if one.fit.advice is not None:
            what = say("{card}: does not fit.", card=one.place.title)
            console.print(f"\n{what} {advised(one.fit.advice)}")
    _show_clouds(plan, console)


def _show_clouds(plan: Plan, console: Any) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(say("The same tokens in a cloud"))
    table.add_column(say("From"))
    table.add_column(say("A million"), justify="right")
    table.add_column(say("A month"), justify="right")
    for cloud in plan.clouds:
        million = say("not known") if cloud.million is None else f"{cloud.million:,.2f}"
        month = "" if cloud.month is None else f"{cloud.month:,.2f}"
        table.add_row(short(cloud.model), cloud.provider, million, month)
    console.print()
    console.print(table)
    console.print()
    console.print(say("Cards as of {date}.", date=plan.cards_date), style="dim", end=" ")
    if plan.prices_time is not None:
        age = f"{datetime.fromtimestamp(plan.prices_time, UTC):%Y-%m-%d}"
        console.print(say("Prices from {date} or later, nothing cached.", date=age), style="dim")
    console.print(
        say(
            "A model here does not answer as well as every model there; only the same name is the same model. "
            "docs/plan.md says where each figure is from."
        ),
        style="dim",
    )
    if plan.wanted.tariff is None:
        console.print(say("Name your price of a kilowatt-hour (--tariff 0.15) to see what electricity costs."))
