"""One pass over a text that says which detectors are worth running, then those detectors.

With Hyperscan the pass costs microseconds, whatever the number of detectors; where it has no wheel every detector's
own pattern is tried instead. Both give the same findings: the pass only proposes, and never proposes too little.
"""

import hashlib
import threading
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.privacy.detectors import DETECTORS
from gateway.privacy.vendor_rules import vendor_rules

_RULES = vendor_rules()
_EXPRESSIONS: tuple[str, ...] = tuple(d.pattern.pattern for d in DETECTORS) + tuple(r.expression for r in _RULES)
_PROBE = b"-----BEGIN RSA PRIVATE KEY----- AKIAQWERTYUIOPASDFGH 12345678Z"
_EVERYTHING = frozenset(range(len(_EXPRESSIONS)))


class Hit(tuple[str, str, int, int, float]):
    """Detector, category, start, end, confidence."""

    __slots__ = ()


class Scanner:
    """Thread-safe: the compiled database is shared, each thread has its own scratch space."""

    def __init__(self, *, cache_dir: Path | None = None, hyperscan: bool = True) -> None:
        self._local = threading.local()
        self._library: Any = import_module("hyperscan") if hyperscan and find_spec("hyperscan") else None
        self._always: frozenset[int] = _EVERYTHING
        self._database: Any = None
        if self._library is not None:
            self._database, self._always = _database(self._library, cache_dir)

    @property
    def fast(self) -> bool:
        """Whether Hyperscan is in use."""
        return self._database is not None

    def scan(self, text: str, *, joined: bool = False) -> Iterator[Hit]:
        """Every hit in one text. `joined`: only detectors that make sense for a value put together from pieces."""
        folded = text.lower()
        for index in sorted(self._proposed(text)):
            if index >= len(DETECTORS):
                rule = _RULES[index - len(DETECTORS)]
                for start, end in rule.find(text, folded):
                    yield Hit((rule.name, rule.category, start, end, 0.9))
                continue
            detector = DETECTORS[index]
            if (joined and not detector.joins) or (detector.hint and not any(word in folded for word in detector.hint)):
                continue
            for start, end in detector.find(text):
                yield Hit((detector.name, detector.category, start, end, detector.confidence))

    def _proposed(self, text: str) -> frozenset[int] | set[int]:
        if self._database is None:
            return _EVERYTHING
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = self._library.Scratch(self._database)
        found: set[int] = set(self._always)
        self._database.scan(
            text.encode("utf-8", "replace"),
            lambda index, start, end, flags, context: found.add(index),
            scratch=scratch,
        )
        return found


def _database(library: Any, cache_dir: Path | None) -> tuple[Any, frozenset[int]]:
    """The compiled patterns, from the cache where it has them, and those that Hyperscan can't take (always run)."""
    digest = hashlib.sha256("\0".join((library.__version__, *_EXPRESSIONS)).encode()).hexdigest()[:24]
    stored = None if cache_dir is None else cache_dir / f"patterns-{digest}.hs"
    if stored is not None:
        database = _loaded(library, stored)
        if database is not None:
            return database, frozenset()
    database, left = _compiled(library)
    if stored is not None and not left:
        _store(stored, library.dumpb(database))
    return database, left


def _compiled(library: Any) -> tuple[Any, frozenset[int]]:
    database = library.Database()
    flags = library.HS_FLAG_SINGLEMATCH | library.HS_FLAG_PREFILTER | library.HS_FLAG_UTF8
    try:
        _compile(library, database, sorted(_EVERYTHING), flags)
    except library.HyperscanError:
        left = frozenset(index for index in _EVERYTHING if not _takes(library, index, flags))
        _compile(library, database, sorted(_EVERYTHING - left), flags)
        return database, left
    return database, frozenset()


def _compile(library: Any, database: Any, indices: list[int], flags: int) -> None:
    database.compile(
        expressions=[_EXPRESSIONS[index].encode() for index in indices],
        ids=indices,
        elements=len(indices),
        flags=[flags] * len(indices),
    )


def _takes(library: Any, index: int, flags: int) -> bool:
    try:
        _compile(library, library.Database(), [index], flags)
    except library.HyperscanError:
        return False
    return True


def _loaded(library: Any, stored: Path) -> Any:
    """The stored database, if it is there, whole, and finds what it must."""
    try:
        database = library.loadb(stored.read_bytes(), library.HS_MODE_BLOCK)
        found: set[int] = set()
        database.scan(
            _PROBE,
            lambda index, start, end, flags, context: found.add(index),
            scratch=library.Scratch(database),
        )
    except (OSError, library.HyperscanError):
        return None
    return database if len(found) >= 3 else None


def _store(stored: Path, data: bytes) -> None:
    """A cache: where it can't be written, the patterns are compiled again next time."""
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        fresh = stored.with_suffix(f".{threading.get_ident()}.tmp")
        fresh.write_bytes(data)
        fresh.replace(stored)
    except OSError:
        return
