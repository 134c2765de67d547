"""What the wizard shows of a machine can be read at 80 columns, in both languages."""

import io

import pytest
from rich.console import Console

from gateway.cli.init.clouds import CLOUDS, CloudKey
from gateway.cli.init.findings import Findings
from gateway.cli.init.spanish import SPANISH
from gateway.cli.init.telling import show_findings
from gateway.core.translation import LANGUAGES, Translator
from gateway.setup.machine import Gpu, Machine
from gateway.setup.servers import RunningServer, ServedModel

CARDS = (
    Gpu(maker="nvidia", name="NVIDIA GeForce RTX 4090", memory=24 * 2**30, capability="8.9"),
    Gpu(maker="amd", name="AMD GPU", usable=False),
)
FOUND = Findings(
    machine=Machine(
        system="Linux",
        processor="x86_64",
        gpus=CARDS,
        ram=64 * 2**30,
        problems=("There is an NVIDIA card, and its driver does not answer [no reason given]. Install the driver.",),
    ),
    engine=False,
    servers=(RunningServer(name="Ollama", base_url="http://127.0.0.1:11434/v1", models=(ServedModel(name="a"),)),),
    files=12,
    candidates=(),
    keys=tuple(CloudKey(cloud=cloud, variable=cloud.variables[0]) for cloud in CLOUDS),
    port=8486,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_found_is_shown_whole(language):
    """Cards with their memory, servers, keys by name, a port that is taken; no word is cut at the edge."""
    shown = io.StringIO()
    show_findings(Console(file=shown, width=80, highlight=False), FOUND, Translator(SPANISH, language))
    text = shown.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    words = set(text.split())
    assert {"24", "GiB", "Ollama", "http://127.0.0.1:11434/v1,", "12", "OPENROUTER_API_KEY,", "8486"} <= words
    assert "[no reason given]" in " ".join(text.split())
    assert ("Tarjeta gráfica" in text) == (language == "es")
