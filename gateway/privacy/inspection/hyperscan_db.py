"""The compiled Hyperscan database: made once for the process, kept on disk by digest. The room's only file.

Kept in the state directory and in the user's cache, so that a new state directory need not compile again. A file that
somebody else could have written is not read.

Patterns are given to Hyperscan as bytes in prefilter mode, so what it proposes is a superset of what `re` finds;
`widened` keeps that so where one character is several bytes.
"""

import hashlib
import os
import re
import stat
import threading
from functools import cache
from pathlib import Path
from typing import Any

from gateway.privacy.patterns import late

_PROBE = b"-----BEGIN RSA PRIVATE KEY----- AKIAQWERTYUIOPASDFGH 12345678Z"
# An opening parenthesis, or one atom of an expression and how often it may come.
_ATOM = late(
    r"\(|(?P<atom>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\\.|[^()])"
    r"(?:\{(?P<least>\d+)(?P<range>,(?P<most>\d*))?\}|(?P<sign>[?*+]))?"
)
_BEYOND_ASCII = late(r"(?:\\.|[^\\])-[^\x00-\x7f]|[^\x00-\x7f](?:-[^\x00-\x7f])?")  # a range of a class, or one letter
_ANY_OF_SEVERAL_BYTES = (".", r"\S", r"\W", r"\D")
_BYTES = 4  # of one character, at most
_LONGEST_COUNTED = 63


def widened(expression: str, *, singles: bool = True) -> str:
    """Return the expression for bytes instead of characters.

    What may be a character of several bytes may be as many bytes. Large counts have no end: each number is a state of
    its own to Hyperscan, and together they doubled the time to compile; `re` counts afterwards.

    Args:
        expression: The expression.
        singles: Also where no count is written; an expression that spells characters out in bytes needs it not.
    """
    return _ATOM.sub(lambda atom: _for_bytes(atom, singles), expression)


def _for_bytes(match: re.Match[str], singles: bool) -> str:
    atom = match["atom"]
    if atom is None:  # what stands behind a parenthesis says no count
        return match[0]
    written = match[0][len(atom) :]
    if atom.startswith("["):
        wide = atom.startswith("[^") or not atom.isascii() or any(one in atom for one in _ANY_OF_SEVERAL_BYTES[1:])
        atom = _bytes_of_class(atom)
    elif not atom.isascii():
        return f"(?:{atom}){written}" if written else atom
    else:
        wide = atom in _ANY_OF_SEVERAL_BYTES
    wide = wide and (singles or not match[0].isascii() or bool(match["most"]))
    if match["sign"] in ("*", "+") or not (wide or match["most"]):
        return atom + written
    if match["sign"]:  # `?`
        least, most = 0, 1
    else:
        least = int(match["least"] or 1)
        most = int(match["most"] or 0) if match["range"] else least
    if wide:
        most *= _BYTES
    if not most or most > _LONGEST_COUNTED:
        return f"{atom}{{{least},}}"
    return f"{atom}{{{least},{most}}}"


def _bytes_of_class(atom: str) -> str:
    """Return a class of bytes in which all are that may stand in its characters, and of a negated one no more."""
    if atom.isascii():
        return atom
    inside = _BEYOND_ASCII.sub(lambda match: r"\x00-\x7f" if match[0][0].isascii() else "", atom[1:-1])
    if inside.startswith("^"):
        return f"[{inside}]" if len(inside) > 1 else r"[\s\S]"
    return rf"[{inside}\x80-\xff]"


_KEPT = 3  # databases in a folder, of 10 MB each: those of this version, of the one before, and of another installation


@cache
def open_database(library: Any, expressions: tuple[str, ...], cache_dir: Path | None) -> tuple[Any, frozenset[int]]:
    """Return the database of expressions for bytes, and the indices of those that Hyperscan can't take."""
    digest = hashlib.sha256("\0".join((library.__version__, *expressions)).encode()).hexdigest()[:24]
    if cache_dir is None:
        return _compiled(library, expressions)
    name = f"patterns-{digest}.hs"
    places = [folder / name for folder in (cache_dir, _of_the_user()) if folder is not None]
    for stored in places:
        database = _loaded(library, stored)
        if database is not None:
            if stored is not places[0]:
                _store(places[0], library.dumpb(database))
            return database, frozenset()
    database, left = _compiled(library, expressions)
    if not left:
        for stored in places:
            _store(stored, library.dumpb(database))
    return database, left


def _of_the_user() -> Path | None:
    """Return the user's own directory of caches: with it, a new state directory need not compile for half a minute."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aduana"
    except RuntimeError:  # nobody's home
        return None


@cache
def _compiled(library: Any, expressions: tuple[str, ...]) -> tuple[Any, frozenset[int]]:
    everything = range(len(expressions))
    try:
        return _compile(library, expressions, list(everything)), frozenset()
    except library.HyperscanError:
        left = frozenset(index for index in everything if not _takes(library, expressions, index))
        return _compile(library, expressions, [index for index in everything if index not in left]), left


def _compile(library: Any, expressions: tuple[str, ...], indices: list[int]) -> Any:
    database = library.Database()
    flags = library.HS_FLAG_SINGLEMATCH | library.HS_FLAG_PREFILTER
    database.compile(
        expressions=[expressions[index].encode() for index in indices],
        ids=indices,
        elements=len(indices),
        flags=[flags] * len(indices),
    )
    return database


def _takes(library: Any, expressions: tuple[str, ...], index: int) -> bool:
    try:
        _compile(library, expressions, [index])
    except library.HyperscanError:
        return False
    return True


def _loaded(library: Any, stored: Path) -> Any:
    """Return the stored database, if it is there, whole, and finds what it must; else None."""
    found: set[int] = set()
    try:
        if not _is_ours(stored.parent):
            return None
        database = library.loadb(_read(stored), library.HS_MODE_BLOCK)
        database.scan(
            _PROBE,
            lambda index, start, end, flags, context: found.add(index),
            scratch=library.Scratch(database),
        )
    except (OSError, library.HyperscanError):
        return None
    return database if len(found) >= 3 else None


def _is_ours(place: Path) -> bool:
    """Tell whether a folder is this user's, and nobody else can write there but the administrator.

    Whoever can would choose what is found, and what the library reads: it checks no file. Windows keeps each user's
    folders to themselves, and tells no owners.
    """
    return os.name == "nt" or _only_ours(place.stat())


def _only_ours(found: os.stat_result) -> bool:
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(stored: Path) -> bytes:
    """Return what a file holds that is this user's, and that nobody else can write.

    Raises:
        OSError: It is a link, or can't be read.
        PermissionError: Somebody else could have written it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(stored, flags), "rb") as file:
        if os.name != "nt" and not _only_ours(os.fstat(file.fileno())):
            raise PermissionError(stored.name)
        return file.read()


def _store(stored: Path, data: bytes) -> None:
    """Keep the database as a cache: where it can't be written, the patterns are compiled again next time."""
    try:
        stored.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_ours(stored.parent):
            return
        fresh = stored.with_suffix(f".{os.getpid()}.{threading.get_ident()}.tmp")
        # The patterns say what is sensitive here: nobody else on the machine reads them.
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(data)
        fresh.replace(stored)
        for old in sorted(stored.parent.glob("patterns-*.hs"), key=_used, reverse=True)[_KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _used(stored: Path) -> float:
    """Return when a file was written; one that another process just removed is the oldest."""
    try:
        return stored.stat().st_mtime
    except OSError:
        return 0.0
