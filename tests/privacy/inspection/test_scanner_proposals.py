"""With Hyperscan and without it the same is found: it proposes, in bytes, never less than what patterns match."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import from_regex

from gateway.privacy.detectors.detector import Detector
from gateway.privacy.detectors.registry import DETECTORS
from gateway.privacy.inspection.hyperscan_db import widened
from gateway.privacy.inspection.scanner import Scanner

pytest.importorskip("hyperscan")
_SLOW = Scanner(hyperscan=False)
_TEXTS = Path(__file__).parents[2] / "data" / "sensitivity"


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    """A scanner with compiled patterns, from the user's cache where they are there."""
    scanner = Scanner(cache_dir=tmp_path_factory.mktemp("patterns"))
    assert scanner.fast
    return scanner


def lost(fast: Scanner, text: str) -> set[tuple[object, ...]]:
    """Return what is found in a text without Hyperscan only."""
    return set(_SLOW.scan(text).hits()) - set(fast.scan(text).hits())


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


@pytest.mark.parametrize("detector", [one for one in DETECTORS if one.whole is None], ids=lambda one: one.name)
def test_what_a_pattern_matches_is_proposed(fast: Scanner, detector: Detector) -> None:
    """Texts that are made from the pattern: letters, quotes and signs of several bytes stand wherever it lets them."""
    expression = re.compile(detector.pattern.pattern, re.ASCII)

    @seed(1)
    @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(from_regex(expression).filter(_encodable))
    def found(text: str) -> None:
        assert not lost(fast, text)

    found()


@pytest.mark.parametrize(
    "text",
    [
        "le debo 380 mil a Hacienda, cómo pido fac",
        "My salary is 4,200 and i owe 12,000 to the bank.",
        "“+34 612 345 678” — tel. 612–345–678, llámame: «612345678»",
        "usa «c4ballo-Grapa!» como contraseña del wifi",
    ],
)
def test_signs_of_several_bytes(fast: Scanner, text: str) -> None:
    assert set(_SLOW.scan(text).hits())
    assert not lost(fast, text)


def test_texts_of_other_people(fast: Scanner) -> None:
    texts = sorted(set(_not_ascii()))
    assert len(texts) > 1000
    assert not [(text, less) for text in random.Random(3).sample(texts, 1000) if (less := lost(fast, text))]


def _not_ascii() -> Iterator[str]:
    for file in sorted(_TEXTS.rglob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if not line.isascii() and len(line) < 2000:
                yield line


@pytest.mark.parametrize(
    ("characters", "octets"),
    [
        (r"[$€£]?[0-9]", r"[$\x80-\xff]{0,4}[0-9]"),  # optional, not "as few as can be"
        (r"[^\s“”]{6,64}a", r"[^\s]{6,}a"),
        (r"[a-zà-ü]{3}", r"[a-z\x80-\xff]{3,12}"),
        (r"(?:x.y)?é?\W*\w{2,4}", r"(?:x.{1,4}y)?(?:é)?\W*\w{2,4}"),
        (r"(?P<value>[A-Z]{12})[]^-]{2}\.{3}", r"(?P<value>[A-Z]{12})[]^-]{2}\.{3}"),
    ],
)
def test_an_expression_for_bytes(characters: str, octets: str) -> None:
    assert widened(characters) == octets
