"""The judge: what counts, what is remembered, what it does when it is late or can't read. With a stand-in encoder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gateway.privacy.sensitivity.judge import Calibration, Judge, Late, Mode
from gateway.privacy.sensitivity.kinds import CLEAN, SENSITIVE
from gateway.privacy.sensitivity.passages import Passage
from gateway.privacy.sensitivity.units import units
from tests.privacy.sensitivity.test_passages import words

CALIBRATION = Calibration(1.0, 0.0, balanced=0.8, strict=0.3, balanced_alone=0.9, strict_alone=0.5)


class Encoder:
    """Finds a passage's window as sensitive as the largest number in it says; counts what it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.text = ""

    def pieces(self, text: str) -> list[tuple[int, int, int]]:
        return [(10 + int(text[start:end]) if text[start:end].lstrip("-").isdigit() else number, start, end)
                for number, start, end in words(text)]  # fmt: skip

    def logits(self, passages: Sequence[Passage]) -> list[Any]:
        self.asked += len(passages)
        return [np.array([self._row(max(passage.pieces[window.first : window.end]) - 10) for window in passage.windows],
                         np.float32) for passage in passages]  # fmt: skip

    def _row(self, score: float) -> list[float]:
        return [score, *[-99.0] * (len(SENSITIVE) - 1), 0.0, *[-99.0] * (len(CLEAN) - 1)]


def judge(encoder: Encoder, mode: Mode = Mode.BALANCED, **options: Any) -> Judge:
    return Judge(mode, encoder=lambda: encoder, calibration=CALIBRATION, **options)  # type: ignore[arg-type,return-value]


def found(one: Judge, text: str) -> list[tuple[str, str, float]]:
    (unit,) = units([("$.a", text)])
    (judged,) = one.judge([unit.text])
    return [
        (finding.category, text[finding.start : finding.end], finding.confidence)
        for finding in one.findings(unit, judged)
    ]


CLEAN_BEFORE = "There are seven harmless words in here. "


def test_the_worst_sentence_counts_and_is_the_place() -> None:
    """Of three sentences one tells; it is found, as its kind, with its probability."""
    text = f"{CLEAN_BEFORE}The number 5 stands in this very sentence. {CLEAN_BEFORE}"
    assert found(judge(Encoder()), text) == [("topic.health", "The number 5 stands in this very sentence.", 0.993)]


class ShyEncoder(Encoder):
    """Finds everything harmless that it does not read alone."""

    def logits(self, passages: Sequence[Passage]) -> list[Any]:
        together = np.array(self._row(-2))
        return [
            rows if len(passage.windows) == 1 else np.array([together] * len(passage.windows), np.float32)
            for passage, rows in zip(passages, super().logits(passages), strict=True)
        ]


TELLING = "The number 2 stands in this very sentence."


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (f"{CLEAN_BEFORE}\n{TELLING}\n{CLEAN_BEFORE}", True),
        (f"{CLEAN_BEFORE}\n  - {TELLING[:-1]}", True),
        (f"{TELLING}\n{CLEAN_BEFORE}", True),
        (f"{CLEAN_BEFORE}\n{TELLING[:-1]}\n{CLEAN_BEFORE}", False),
        (f"{CLEAN_BEFORE}{TELLING} {CLEAN_BEFORE}", False),
        (f"{CLEAN_BEFORE}\n{TELLING} {CLEAN_BEFORE}", False),
    ],
)
def test_a_line_counts_more_easily_than_a_sentence_within_one(text: str, counts: bool) -> None:
    """An entry in a neutral file stands for itself; a sentence, or a line of a wrapped paragraph, has neighbours."""
    assert bool(found(judge(ShyEncoder()), text)) is counts


def test_a_passage_is_judged_anew_where_other_lines_stand_around_it() -> None:
    """What was remembered of a sentence within a line is no answer for the same sentence as a line."""
    one = judge(ShyEncoder())
    within, line = f"{CLEAN_BEFORE}{TELLING}", f"{CLEAN_BEFORE}\n{TELLING}"
    assert [bool(found(one, text)) for text in (f"{within} And so on.", line, within)] == [False, True, False]


def test_strict_keeps_what_balanced_lets_go() -> None:
    """A window between the two thresholds."""
    text = "The number 0 stands in this very sentence."
    assert found(judge(Encoder()), text) == []
    assert [category for category, _, _ in found(judge(Encoder(), Mode.STRICT), text)] == ["topic.health"]


def test_a_text_and_its_passages_are_judged_once() -> None:
    """The next turn of a conversation, and a text that grows, cost only what is new."""
    encoder = Encoder()
    one = judge(encoder)
    text = " ".join(CLEAN_BEFORE + str(number) for number in range(60))
    one.judge([text])
    before = encoder.asked
    assert one.known([text]) == one.judge([text])
    assert encoder.asked == before
    assert one.known([text, "something else"]) is None
    one.judge([f"{text} {CLEAN_BEFORE}"])
    assert encoder.asked - before <= 2


def test_late_is_said_and_what_was_judged_is_kept() -> None:
    """Beyond its computing time the judge gives up; asked again it goes on where it stopped."""
    encoder = Encoder()
    ticks = iter(range(10_000))
    one = judge(encoder, seconds=3.0, clock=lambda: float(next(ticks)))
    text = " ".join(f"{CLEAN_BEFORE}{number}" for number in range(1500))
    tries = 0
    while True:
        tries += 1
        try:
            one.judge([text])
        except Late:
            continue
        break
    assert 1 < tries < 100
    alone = Encoder()
    judge(alone).judge([text])
    assert encoder.asked == alone.asked  # no passage twice


def test_another_script_is_unsure_and_never_clean() -> None:
    """Where most pieces are unknown nothing is said about the topic but that nobody knows."""
    assert found(judge(Encoder()), "?Это ?личное ?дело ?моего ?брата") == [
        ("unsure", "?Это ?личное ?дело ?моего ?брата", 1.0)
    ]


def test_the_probability_of_a_place_is_that_of_the_smallest_window_around_it() -> None:
    """Names ask how private the sentence is in which they stand; where nothing was judged it is private."""
    text = f"{CLEAN_BEFORE}The number 5 stands in this very sentence."
    (judged,) = judge(Encoder()).judge([text])
    assert judged.probability(0, 5) < 0.6
    assert judged.probability(text.index("5"), text.index("5") + 1) > 0.9
    assert judged.probability(0, len(text) + 5) == 1.0


@pytest.mark.parametrize("text", ["", " ", "ok", "\ud800 \n"])
def test_nothing_is_found_in_nothing(text: str) -> None:
    """Empty texts, and broken ones."""
    one = judge(Encoder())
    assert one.judge([text])[0].sights == ()
