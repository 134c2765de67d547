"""Models that could answer at home, the likeliest first: those of running servers, files, the starter. Pure."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from gateway.cli.models.importing import STORES
from gateway.local.embedded.models.files import STARTER, ModelFile
from gateway.local.embedded.models.records import projector_name
from gateway.setup.machine import Machine
from gateway.setup.model_files import FoundModel
from gateway.setup.servers import RunningServer

_NO_CHAT = re.compile(r"embed|rerank|bge-|minilm|whisper|mmproj|clip|tts", re.IGNORECASE)
_OVERHEAD = 1.15  # of a file's size: a small KV cache and computing come on top
_SHARE_OF_RAM = 0.7
_SLOW_ON_CPU = 6e9  # bytes; a larger one answers, at a few tokens a second


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model that could answer at home.

    `where`: whose server or folder. `model`: what the configuration calls it. `found`: the file of another program that
    must get the name `model` in the model directory first. `projector`: what the configuration calls that.
    """

    kind: Literal["server", "file", "starter"]
    model: str
    where: str = ""
    title: str = ""
    size: int | None = None
    fits: bool = True
    base_url: str = ""
    context: int | None = None
    slots: int | None = None
    found: FoundModel | None = None
    projector: str = ""

    @property
    def shown(self) -> str:
        """Return what a person calls it."""
        return self.title or self.model


def candidates(
    machine: Machine,
    servers: Iterable[RunningServer],
    directory: Sequence[ModelFile],
    stored: Iterable[FoundModel],
    *,
    starter: bool,
) -> list[Candidate]:
    """Return all that could answer, the likeliest first.

    A server that runs has its memory already, so it comes first; then files that fit, the largest first, those that are
    slow without a card behind them; the starter is the last. `starter`: its package is installed.
    """
    files = [_of_directory(machine, file) for file in directory if _talks(file.name) and not file.problem]
    known = {file.path.resolve() for file in directory}
    for model in stored:
        if _talks(model.name) and model.path.resolve() not in known:
            files.append(_of_store(machine, model, {file.model for file in files}))
    own = [file for file in files if file.model != STARTER]
    last = [file for file in files if file.model == STARTER] or ([Candidate(kind="starter", model=STARTER)] * starter)
    return [*_served(servers), *sorted(own, key=lambda file: _rank(machine, file)), *last]


def file_candidate(machine: Machine, name: str, path: Path, size: int) -> Candidate:
    """Return the candidate for a file that a person named: by its path, or by its name in the model directory."""
    return Candidate(kind="file", model=name, title=path.name, size=size, fits=_fits(machine, size))


def _served(servers: Iterable[RunningServer]) -> list[Candidate]:
    return [
        Candidate(
            kind="server",
            model=model.name,
            where=server.name,
            base_url=server.base_url,
            context=model.context,
            slots=server.slots,
        )
        for server in servers
        for model in server.models
        if not (model.elsewhere or model.embeds) and _talks(model.name)
    ]


def _of_directory(machine: Machine, file: ModelFile) -> Candidate:
    projector = file.path.with_name(projector_name(file.name))
    return Candidate(
        kind="file",
        model=file.name,
        size=file.size,
        fits=_fits(machine, file.size),
        projector=projector.stem if projector.is_file() else "",
    )


def _of_store(machine: Machine, model: FoundModel, taken: set[str]) -> Candidate:
    name = model.name
    while name in taken:
        name += "-2"
    return Candidate(
        kind="file",
        model=name,
        title=model.origin if model.store == "ollama" else model.name,
        where=STORES[model.store],
        size=model.size,
        fits=_fits(machine, model.size),
        found=model,
        projector=projector_name(name).removesuffix(".gguf") if model.projector else "",
    )


def _talks(name: str) -> bool:
    return _NO_CHAT.search(name.rsplit("/", 1)[-1]) is None


def _fits(machine: Machine, size: int) -> bool:
    room = machine.gpu_memory or _SHARE_OF_RAM * (machine.ram or 0)
    return not room or size * _OVERHEAD <= room


def _rank(machine: Machine, file: Candidate) -> tuple[bool, bool, float]:
    size = file.size or 0
    slow = not machine.gpu_memory and size > _SLOW_ON_CPU
    return not file.fits, slow, size if slow or not file.fits else -size
