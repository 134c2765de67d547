"""The guide for people who own their AI: short pages that come along, in the reader's language where they have it."""

import asyncio
import functools
import re
from functools import partial
from pathlib import Path

from gateway.console.markdown import Written, written
from gateway.console.views.view import Ask, Shown
from gateway.core.errors import NotFound

_ADDRESS = "/console/guide"
_FIRST = "README"
_PAGE = re.compile(r"(?:\./)?([A-Za-z0-9-]{1,60})(\.es)?\.md(#[\w-]+)?")
_WEB = re.compile(r"https?://|#")


class Guide:
    """The view of the guide's pages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def show(self, ask: Ask) -> Shown:
        """Return a page.

        Raises:
            NotFound: There is no such page.
        """
        name = ask.path.get("page", _FIRST)
        page = await asyncio.to_thread(self._read, name, ask.words.language)
        if page is None:
            raise NotFound("The guide has no such page.", code="not_found")
        return Shown(
            template="guide.html", title=page.title or "Guide", values={"html": page.html, "first": name == _FIRST}
        )

    def _read(self, name: str, language: str) -> Written | None:
        if not _PAGE.fullmatch(f"{name}.md"):
            return None
        files = [self._folder / f"{name}{ending}" for ending in (*((".es.md",) if language == "es" else ()), ".md")]
        file = next((one for one in files if one.is_file()), None)
        return _written(file) if file is not None else None


@functools.lru_cache(64)
def _written(file: Path) -> Written:
    return written(file.read_text(encoding="utf-8"), partial(address, spanish=file.name.endswith(".es.md")))


def address(link: str, *, spanish: bool) -> str | None:
    """Return where a link of a page in that language leads in the console; None: to a file that is not there."""
    page = _PAGE.fullmatch(link)
    if page is not None:
        path = _ADDRESS if page[1] == _FIRST else f"{_ADDRESS}/{page[1]}"
        other = bool(page[2]) is not spanish
        language = ("?lang=es" if page[2] else "?lang=en") if other else ""
        return path + language + (page[3] or "")
    return link if _WEB.match(link) else None
