"""The texts that are trained on: files of blocks, one file a writer. `tests/data/sensitivity/README.md` tells more."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.privacy.sensitivity.kinds import CLEAN, SENSITIVE

_HEADER = re.compile(r"## (?P<label>[sn]) (?P<kind>\S+) (?P<form>\S+) (?P<language>\S+)\s*")
_TELLS = "=> "


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One text, what it is, and who wrote it."""

    writer: str
    sensitive: bool
    kind: str
    form: str
    language: str
    text: str
    tells: tuple[str, ...] = ()
    """Sentences of a long text that make it sensitive."""


def read(file: Path) -> Iterator[Text]:
    """Yield the texts of one writer.

    Raises:
        ValueError: A header is none, with file and line.
    """
    header: re.Match[str] | None = None
    lines: list[str] = []
    tells: list[str] = []
    for number, line in enumerate([*file.read_text("utf-8").split("\n"), "## end"], 1):
        if not line.startswith("## "):
            (tells if line.startswith(_TELLS) else lines).append(line.removeprefix(_TELLS))
            continue
        if header is not None:
            yield Text(
                writer=file.stem, sensitive=header["label"] == "s", kind=header["kind"], form=header["form"],
                language=header["language"], text="\n".join(lines).strip(), tells=tuple(tells),
            )  # fmt: skip
        header, lines, tells = _HEADER.fullmatch(line), [], []
        if header is None and line != "## end":
            raise ValueError(f"{file}:{number}: not a header: {line}")
        if header is not None and header["kind"] not in (SENSITIVE if header["label"] == "s" else CLEAN):
            raise ValueError(f"{file}:{number}: an unknown kind: {header['kind']}")


def read_all(folder: Path) -> list[Text]:
    """Return the texts of all writers of a folder.

    Raises:
        ValueError: A header is none.
    """
    return [text for file in sorted(folder.glob("*.txt")) for text in read(file)]
