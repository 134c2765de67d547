"""What the wizard shows: what was found, and at the end what to do next and what to paste into apps."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli.init.configuration import Choices
from gateway.cli.init.findings import USUAL_PORT, Findings
from gateway.cli.init.network import FOLDER, Network
from gateway.cli.init.service_step import Outcome
from gateway.core.translation import Translator
from gateway.local.embedded.models.files import STARTER
from gateway.settings import DEFAULT_FILE, default_file
from gateway.setup.machine import Gpu


def show_findings(console: Console, found: Findings, tell: Translator) -> None:
    """Show what there is on this machine."""
    console.print()
    machine = found.machine
    cards = "\n".join(_card(card, tell) for card in machine.gpus) or tell("none found; the processor computes")
    engine = tell("installed") if found.engine else tell("not installed: 'aduana engine install' does that")
    servers = "\n".join(
        tell("{name} at {url}, models: {count}", name=server.name, url=server.base_url, count=len(server.models))
        for server in found.servers
    )
    keys = ", ".join(key.variable for key in found.keys)
    rows = [
        (tell("Graphics card"), cards),
        (tell("Memory"), f"{machine.ram / 2**30:.0f} GiB" if machine.ram else tell("unknown")),
        (tell("Engine (llama.cpp)"), engine),
        (tell("Running servers"), servers or tell("none on the usual ports")),
        (tell("Model files"), str(found.files)),
        (tell("Cloud keys"), tell("{names} (only the names were read)", names=keys) if keys else tell("none")),
    ]
    if found.port != USUAL_PORT:
        rows.append((tell("Port"), tell("{usual} is taken, so {port}", usual=USUAL_PORT, port=found.port)))
    _grid(console, rows)
    for problem in machine.problems:
        console.print(problem, markup=False)


def show_next(
    console: Console, choices: Choices, folder: Path, found: Findings, outcome: Outcome, tell: Translator
) -> None:
    """Show how to start it, and what apps must be told."""
    shared = choices.network
    host = shared.names[-1] if shared is not None and shared.names else "127.0.0.1"
    address = f"http://{host}:{choices.port}"
    console.print()
    if not found.engine and any(candidate.kind != "server" for candidate in choices.models):
        console.print(tell("First install the engine:  {command}", command="aduana engine install"), markup=False)
    if not outcome.running:
        console.print(tell("Start it:  {command}", command=_serve(folder)), markup=False, soft_wrap=True)
    console.print(f"\n[bold]{escape(tell('What to put into your apps'))}[/]")
    names = ", ".join(["auto", *(name for name, _, _ in choices.profile.aliases)])
    _grid(
        console,
        [
            (tell("Base URL"), f"{address}/v1"),
            (tell("of Anthropic's and Ollama's apps"), address),
            (tell("API key"), _keys(folder, shared, tell)),
            (tell("Model"), names),
            (tell("Status page"), f"{address}/"),
        ],
    )
    if shared is not None:
        console.print(tell("What travels on your network can be read there. Where others share it, use TLS."))
    if choices.models[0].model == STARTER:
        console.print(
            tell("The starter model is only for trying: 'aduana models pull' lists better ones for your card.")
        )
    console.print(tell("'aduana connect' lists the apps that it can set up for you."), markup=False)


def _keys(folder: Path, shared: Network | None, tell: Translator) -> str:
    if shared is None:
        return tell("any word: this machine needs none")
    names = ", ".join(key.file.name for key in shared.keys)
    return tell("a file's content in {folder}: {names}", folder=folder / FOLDER, names=names)


def _serve(folder: Path) -> str:
    usual = default_file()
    if usual is not None and usual.absolute() == folder / DEFAULT_FILE:
        return "aduana serve"
    return shlex.join(["aduana", "serve", "--config", str(folder / DEFAULT_FILE)])


def _card(card: Gpu, tell: Translator) -> str:
    memory = f", {card.memory / 2**30:.0f} GiB" if card.memory else ""
    return f"{card.name}{memory}" + ("" if card.usable else f" ({tell('its driver does not answer')})")


def _grid(console: Console, rows: list[tuple[str, str]]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(f"  {escape(name)}", escape(value))
    console.print(table)
