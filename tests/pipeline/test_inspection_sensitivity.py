"""The judge of sensitivity in a request: what it finds, its limits, masked texts, and who is asked besides."""

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.core.finding import Doubt, Inspection
from gateway.pipeline.inspection import RequestInspection, Sensitivity, Topics
from gateway.privacy.topic_questions import Judgement
from tests.pipeline.house import chat
from tests.privacy.sensitivity.test_judge import CLEAN_BEFORE, Encoder, judge

TELLS = f"{CLEAN_BEFORE}The number 5 stands in this very sentence, and so it is long enough to be read alone."


class Broken(Encoder):
    """Encoder that can't read."""

    def logits(self, passages: Sequence[Any]) -> list[Any]:
        raise RuntimeError("no weights")


class Asked:
    """Local model that notes what it is asked about."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def judgement(self, texts: Sequence[tuple[str, str]]) -> Judgement:
        self.paths += [path for path, _ in texts]
        return Judgement()


def inspection(encoder: Encoder, topics: Topics | None = None, *, unsure: bool = False, characters: int = 9_999,
               **options: Any) -> RequestInspection:  # fmt: skip
    sensitivity = Sensitivity(judge=judge(encoder, **options), unsure_is_doubt=unsure, characters=characters)
    return RequestInspection(None, None, topics, None, sensitivity)  # type: ignore[arg-type]


async def test_what_is_told_is_found_at_its_place() -> None:
    """The finding names the category, the message and the sentence."""
    _, request = chat(TELLS)
    (finding,) = (await inspection(Encoder()).weighed(request, Inspection())).findings
    assert (finding.category, finding.path) == ("topic.health", "$.messages[0].content")
    assert TELLS[finding.start : finding.end].startswith("The number 5")


@pytest.mark.parametrize(
    ("encoder", "options", "reason"),
    [
        (Broken(), {}, "detector_failed:judge"),
        (Encoder(), {"characters": 20}, "size"),
        (Encoder(), {"seconds": -1.0}, "time"),
    ],
    ids=["broken", "too long", "too slow"],
)
async def test_what_was_not_judged_is_a_doubt(encoder: Encoder, options: dict[str, Any], reason: str) -> None:
    """A judge that fails, has too much to read or no time keeps the request at home."""
    _, request = chat(TELLS)
    found = await inspection(encoder, **options).weighed(request, Inspection())
    assert found.doubts == (Doubt(reason=reason, path="$"),)


async def test_unsure_is_a_finding_or_a_doubt_as_configured() -> None:
    """Text in another script: for the policy to say, or sensitive whatever it says."""
    _, request = chat("?Это ?личное ?дело ?моего ?брата")
    assert [one.category for one in (await inspection(Encoder()).weighed(request, Inspection())).findings] == ["unsure"]
    doubted = await inspection(Encoder(), unsure=True).weighed(request, Inspection())
    assert ([doubt.reason for doubt in doubted.doubts], doubted.findings) == (["unsure"], ())


async def test_a_masked_text_is_judged_with_blanks() -> None:
    """The judge reads a blank where a pseudonym stands, and so no number that told something."""
    _, request = chat(TELLS)
    assert (await inspection(Encoder()).weighed(request, Inspection(), {"5": "[NUMBER]"})).findings == ()


@pytest.mark.parametrize(
    ("number", "asked"), [("5", False), ("0", True), ("-9", False)], ids=["kept", "between", "clean"]
)
async def test_a_larger_model_is_asked_where_the_judge_is_unsure(number: str, asked: bool) -> None:
    """Neither about what is kept already, nor about what is surely clean; with `ask: always` about everything."""
    model = Asked()
    _, request = chat(TELLS.replace("5", number))
    one = inspection(Encoder(), Topics(judge=model))
    await one.judged(request, await one.weighed(request, Inspection()))
    assert ("$.messages[0].content" in model.paths) is asked
    one = inspection(Encoder(), Topics(judge=model, only_unsure=False))
    await one.judged(request, await one.weighed(request, Inspection()))
    assert "$.messages[0].content" in model.paths
