"""Pages as HTML: templates that escape all that was not written here, and headers that let nothing in or out."""

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway import __version__
from gateway.console.door import Visitor
from gateway.console.views.view import Shown
from gateway.console.words import NAMES, Words

if TYPE_CHECKING:
    from jinja2 import Environment

# Only our own files, nothing from elsewhere, nothing inline, nothing framed. The referrer goes to our own pages alone:
# with none at all browsers would send `Origin: null` with our own forms.
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept-Language, Cookie",
    }
)
MENU: Sequence[tuple[str, str]] = (
    ("/", "Overview"),
    ("/console/savings", "Savings"),
    ("/console/requests", "Requests"),
    ("/console/try", "What would happen"),
    ("/console/chat", "Try a model"),
    ("/console/models", "Models"),
    ("/console/policy", "Policy"),
    ("/console/keys", "Keys and budgets"),
    ("/console/health", "Health"),
    ("/console/guide", "Guide"),
)
"""Addresses and titles of the views, in the order of the menu."""


class Frame:
    """Surroundings of every page: the menu, the language, the version, the policy's digest."""

    def __init__(self, *, address: str, here: str, footer: Sequence[str] = ()) -> None:
        """Keep where the page is.

        Args:
            address: Path and query of this page, for the links that change its language.
            here: The address in the menu that this page belongs to.
            footer: Further sentences of the last line.
        """
        self.address = address
        self.here = here
        self.section = next((one for one, _ in reversed(MENU) if here.startswith(one)), "/")
        self.footer = tuple(footer)
        self.menu = MENU
        self.languages = NAMES
        self.version = __version__

    def in_language(self, language: str) -> str:
        """Return the address of this page in another language."""
        path, _, query = self.address.partition("?")
        kept = [part for part in query.split("&") if part and not part.startswith("lang=")]
        return f"{path}?{'&'.join([*kept, f'lang={language}'])}"


def render(shown: Shown, frame: Frame, words: Words, visitor: Visitor) -> str:
    """Return a page's HTML."""
    return (
        _environment()
        .get_template(shown.template)
        .render(shown.values, title=shown.title, frame=frame, words=words, t=words.say, visitor=visitor)
    )


@functools.cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only once somebody looks at a page

    return Environment(
        loader=PackageLoader("gateway.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
