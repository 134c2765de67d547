"""Ready-made builds on an index of wheels (PEP 503): which of them fit this Python, and how large they are."""

import html.parser
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from typing import Any

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from gateway.core.errors import Unavailable

_SECONDS = 20.0
_LARGEST_PAGE = 8 * 2**20


class Wheel(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an index. `size` in bytes; None: the server does not say."""

    name: str
    version: str
    url: str
    size: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an index has. `wheel` is the one to take; without one, `problem` says why in a sentence."""

    wheel: Wheel | None = None
    problem: str = ""


def look(index: str, project: str, wanted: SpecifierSet) -> Found:
    """Ask an index for the newest wheel that this Python and system can use.

    Args:
        index: its address, as pip takes it.
        project: the package's name.
        wanted: the versions that may be taken.

    Raises:
        Unavailable: the index can't be reached.
    """
    page = f"{index.rstrip('/')}/{project}/"
    found = newest(_links(page, _page(page)), wanted)
    if found.wheel is None:
        return found
    return Found(wheel=msgspec.structs.replace(found.wheel, size=_size(found.wheel.url)))


def newest(links: Iterable[str], wanted: SpecifierSet, tags: Iterable[Tag] | None = None) -> Found:
    """Choose among addresses of wheels. Pure, but for the system's tags where none are given."""
    order = {tag: place for place, tag in enumerate(tags if tags is not None else sys_tags())}
    fitting: list[tuple[Version, int, Wheel]] = []
    versions: list[Version] = []
    for url in links:
        name = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])
        try:
            _, version, _, supports = parse_wheel_filename(name)
        except InvalidWheelFilename:
            continue
        versions.append(version)
        places = [order[tag] for tag in supports if tag in order]
        if places and wanted.contains(version):
            fitting.append((version, -min(places), Wheel(name=name, version=str(version), url=url)))
    if fitting:
        return Found(wheel=max(fitting, key=lambda one: one[:2])[2])
    if not versions:
        return Found(problem="It has no wheels.")
    if not any(wanted.contains(version) for version in versions):
        return Found(problem=f"The newest that it has is {max(versions)}, and {wanted} is needed.")
    return Found(problem="It has none for this system (its processor, C library or Python).")


class _Anchors(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _links(page: str, text: str) -> list[str]:
    reader = _Anchors()
    reader.feed(text)
    return [urllib.parse.urljoin(page, address) for address in reader.addresses]


def _page(url: str) -> str:
    """Return an index's page.

    Raises:
        Unavailable: it can't be read; says why.
    """
    try:
        with _open(url, "GET") as answer:
            return str(answer.read(_LARGEST_PAGE).decode("utf-8", "replace"))
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise Unavailable(f"It can't be read ({getattr(error, 'reason', None) or error}).") from error


def _size(url: str) -> int | None:
    """Return how large a file is, in bytes. None: its server does not say."""
    try:
        with _open(url, "HEAD") as answer:
            size = answer.headers.get("Content-Length") or ""
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return int(size) if size.isdigit() else None


def _open(url: str, method: str) -> Any:
    if not url.startswith(("http://", "https://")):
        raise ValueError("it is no address of an index")
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "aduana"})  # noqa: S310
    return urllib.request.urlopen(request, timeout=_SECONDS)  # noqa: S310 - the scheme was checked
