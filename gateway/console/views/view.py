"""What every view gets, and what it gives back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from gateway.console.door import Visitor
from gateway.console.words import Words

_NONE: Mapping[str, str] = MappingProxyType({})


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a page: who looks, in which language, and what the address and the form say."""

    visitor: Visitor
    words: Words
    query: Mapping[str, str] = _NONE
    path: Mapping[str, str] = _NONE
    form: Mapping[str, str] = _NONE


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A page: its template, its title (an English sentence of the catalogue) and what the template shows."""

    template: str
    title: str
    values: Mapping[str, object] = MappingProxyType({})
    status: int = 200


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Another page that is to be shown instead."""

    to: str
    session: str | None = None  # what the cookie is to hold; empty: the cookie ends; None: it stays as it is


class View(Protocol):
    """One view of the console."""

    async def show(self, ask: Ask) -> Shown:
        """Return what the page shows."""


class Action(Protocol):
    """Something that a form of the console does."""

    async def act(self, ask: Ask) -> Shown | Moved:
        """Do it, and return what is shown then."""
