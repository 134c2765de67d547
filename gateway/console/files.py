"""The console's own files: styles, scripts, the icon. Everything that its pages load is here."""

import functools
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

TYPES: Mapping[str, str] = MappingProxyType({".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"})
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "public, max-age=86400",  # their addresses have the version
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }
)


GUIDE = Path(__file__).parent / "guide"
"""The guide: a link to its folder among the documents, of which a wheel has a copy."""


@functools.cache
def read(name: str) -> tuple[bytes, str]:
    """Return a file's bytes and its media type. Reads it from disk the first time."""
    return files("gateway.console").joinpath("static", name).read_bytes(), TYPES[name[name.rindex(".") :]]
