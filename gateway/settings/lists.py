"""The user's long lists: text files with one entry a line, read once at the start."""

from pathlib import Path
from typing import Any

from pydantic import GetJsonSchemaHandler, PrivateAttr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gateway.settings.section import Section


class ListConfig(Section):
    """Long list of words or names. Written as `clients: clients.txt` where the file is all there is to say."""

    file: Path
    """A text file (UTF-8), relative to this file: one entry a line. Empty lines and `#` lines don't count."""
    whole_words: bool = True
    """Find entries as whole words only, not inside longer ones."""
    match_case: bool = False
    """Capitals count: `ACME` is not `Acme`."""
    match_accents: bool = False
    """Accents count: `Pérez` is not `Perez`."""
    _entries: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str | Path) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both forms to editors: the file alone, or a section."""
        return {"anyOf": [{"type": "string", "format": "path"}, handler(schema)]}

    @model_validator(mode="after")
    def _read(self) -> "ListConfig":
        """Read the file at once: a list that can't be read would be a gap in the protection that nobody sees."""
        self._entries = _entries_of(self.file, self.whole_words)
        return self

    @property
    def entries(self) -> tuple[str, ...]:
        """Return the entries of the file."""
        return self._entries


def _entries_of(file: Path, whole_words: bool) -> tuple[str, ...]:
    """Read the entries of a list.

    Args:
        file: The text file, one entry a line.
        whole_words: Whether entries are found as whole words only; then they may be shorter.

    Raises:
        ValueError: The file or an entry can't be used. It names the file, and the line where it is about one.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ValueError(f"the list {file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"the list {file} is not UTF-8 text; save it as such") from error
    entries: list[str] = []
    fewest = 2 if whole_words else 4
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if sum(map(str.isalnum, entry)) < fewest:
            raise ValueError(f"{file}:{number}: fewer than {fewest} letters and digits would be found everywhere")
        if len(entry) > 400:
            raise ValueError(f"{file}:{number}: longer than 400 characters; write one entry a line")
        entries.append(entry)
    if not entries:
        raise ValueError(f"the list {file} has no entries")
    return tuple(entries)
