"""The lists of cards and models, as a person reads them."""

from gateway.cli.plan.words import say
from gateway.setup.known_cards import known_cards
from gateway.setup.known_models import known_models


def show_known() -> None:
    """Print both lists with their dates."""
    from rich.console import Console
    from rich.table import Table

    cards, models = known_cards(), known_models()
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("--gpu", no_wrap=True)
    for head in (say("Memory"), say("Bandwidth"), say("Power")):
        table.add_column(head, no_wrap=True, justify="right")
    for card in cards.cards:
        table.add_row(card.name, f"{card.memory:g} GB", f"{card.bandwidth:,.0f} GB/s", f"{card.watts:g} W")
    console.print(table)
    table = Table(box=None, pad_edge=False)
    table.add_column("--model", no_wrap=True)
    table.add_column(say("Size"), no_wrap=True, justify="right")
    table.add_column(say("Read for a token"), no_wrap=True, justify="right")
    for model in models.models:
        read = model.bytes * model.read_share
        table.add_row(model.name, f"{model.bytes / 1e9:.1f} GB", f"{read / 1e9:.1f} GB")
    console.print()
    console.print(table)
    console.print(
        "\n" + say("As their makers state, {date}. A path to any GGUF file can be named too.", date=cards.date)
    )
