"""The model that is offered first is one that will work well here."""

from pathlib import Path

from gateway.cli.init.candidates import candidates
from gateway.local.embedded.models.files import ModelFile
from gateway.setup.machine import Gpu, Machine
from gateway.setup.model_files import FoundModel
from gateway.setup.servers import RunningServer, ServedModel

GB = 10**9
CARD = Machine(system="Linux", processor="x86_64", gpus=(Gpu(maker="nvidia", memory=24 * GB),), ram=64 * GB)
PLAIN = Machine(system="Linux", processor="x86_64", ram=32 * GB)


def file(name: str, gigabytes: float, problem: str = "") -> ModelFile:
    """A file in the model directory."""
    return ModelFile(name=name, path=Path(f"/models/{name}.gguf"), size=int(gigabytes * GB), problem=problem)


def stored(name: str, gigabytes: float) -> FoundModel:
    """A file of another program."""
    return FoundModel(
        name=name, store="ollama", origin=f"{name}:latest", parts=(Path(f"/blobs/{name}"),), size=int(gigabytes * GB)
    )


FILES = [file("large-70b", 40), file("coder-32b", 19), file("small-4b", 3), file("smollm2", 0.1)]


def names(machine: Machine, **more: object) -> list[str]:
    """The names, in the order in which they are offered."""
    given: dict[str, object] = {"servers": [], "directory": FILES, "stored": [], "starter": True} | more
    return [one.model for one in candidates(machine, **given)]  # type: ignore[arg-type]


def test_the_largest_that_fits_the_card_comes_first():
    """Then smaller ones, then what is too large, and the starter at the end."""
    assert names(CARD) == ["coder-32b", "small-4b", "large-70b", "smollm2"]


def test_without_a_card_a_small_model_comes_before_a_slow_one():
    """A processor answers with a small model while one waits."""
    assert names(PLAIN) == ["small-4b", "coder-32b", "large-70b", "smollm2"]


def test_a_running_server_comes_before_files():
    """Its memory is taken already; what it runs elsewhere, or makes vectors with, is no model at home."""
    models = (
        ServedModel(name="qwen3:14b"),
        ServedModel(name="glm:cloud", elsewhere=True),
        ServedModel(name="nomic", embeds=True),
    )
    server = RunningServer(name="Ollama", base_url="http://127.0.0.1:11434/v1", models=models)
    assert names(CARD, servers=[server])[:2] == ["qwen3:14b", "coder-32b"]


def test_what_can_not_chat_is_not_offered():
    """Embedding and ranking models, and files that can't be used."""
    odd = [file("bge-m3", 1), file("qwen3-reranker", 1), file("broken", 1, "no GGUF file"), file("good", 1)]
    assert names(CARD, directory=odd) == ["good", "smollm2"]
    assert names(CARD, directory=[], starter=False) == []


def test_files_of_other_programs_get_a_name_of_their_own():
    """Each is linked under a name that is free, and shown as its own program calls it."""
    found = [stored("good", 2), stored("other", 1)]
    directory, linked, other = candidates(CARD, [], [file("good", 3)], found, starter=False)
    assert (directory.model, directory.found) == ("good", None)
    assert (linked.model, linked.shown, linked.found) == ("good-2", "good:latest", found[0])
    assert (other.model, other.found) == ("other", found[1])
