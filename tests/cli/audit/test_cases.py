"""The audit's requests: each with a marker of its own, and sensitive for the reason that its kind names."""

import json
from collections.abc import Iterable

import pytest

from gateway.cli.audit.cases import AuditCase, Numbers, cases
from gateway.cli.audit.memory.answers import answers
from gateway.cli.audit.memory.quotes import quotes, some_quotes
from gateway.cli.audit.memory.turns import conversations
from gateway.cli.audit.planted.encodings import compositions
from gateway.cli.audit.planted.seams import seams
from gateway.cli.audit.recorder import answer, thought
from gateway.cli.audit.released.look_alikes import look_alikes
from gateway.cli.audit.stories import clauses, line, story
from gateway.core.document import freeze_object
from gateway.privacy import Inspector

BY_TAG = ("tags and headers", "tags of keys and names")
BY_KIND_OF_PART = ("unreadable parts",)
BY_TRANSLATION = ("system blocks", "outputs, Responses")  # are joined, or get their roles, before they are looked at


def everything() -> Iterable[AuditCase]:
    """All requests that are known before anything was asked."""
    numbers = Numbers()
    yield from cases({"custom.project 1": "sobre Fénix"}, numbers)
    for told, quoted in (*quotes(numbers), *some_quotes("g", numbers)):
        yield from (told, quoted)
    asked = list(answers(numbers))
    yield from {told.marker: told for told, _ in asked}.values()
    yield from (quoted for _, quoted in asked)
    for conversation in conversations("g", numbers):
        yield from (*conversation.told(), *conversation.later())
    yield from look_alikes(numbers)


def test_every_marker_is_of_one_case_only() -> None:
    """Else one request's arrival would be taken for another's; and every case holds its own."""
    made = list(everything())
    markers = [case.marker for case in made]
    assert len(set(markers)) == len(markers) > 2500
    assert [case.name for case in made if case.marker not in json.dumps(case.body)] == []
    assert {"your own words", "unreadable parts", "clean"} < {case.group for case in made}


def test_every_canary_is_found_or_doubted_by_inspection_itself(inspector: Inspector) -> None:
    """Not merely refused for another reason; a clean request has neither finding nor doubt."""
    for case in cases():
        if case.group not in (*BY_TAG, *BY_KIND_OF_PART) and not any(name in case.name for name in BY_TRANSLATION):
            seen = inspector.inspect(freeze_object(case.body))
            assert bool(seen.findings or seen.doubts) == case.sensitive, f"{case.group}: {case.name}"


@pytest.mark.parametrize("name", [f"Marker{number}end" for number in range(40)])
def test_nothing_is_found_in_a_story(inspector: Inspector, name: str) -> None:
    """What is told in private holds nothing that a detector knows: only memory can keep it."""
    for text in (story(name), line(name), answer(name), thought(name), *clauses(name)):
        seen = inspector.inspect(freeze_object({"messages": [{"role": "user", "content": text}]}))
        assert not seen.findings, text
        assert not seen.doubts, text


def test_no_two_stories_are_alike() -> None:
    """One story must not be known by another one's memory."""
    names = [f"Marker{number}end" for number in range(3000)]
    assert len({story(name) for name in names} | {answer(name) for name in names}) == 2 * len(names)
    assert len({line(name) for name in names}) == len(names)


def test_all_products_are_many_times_a_sample() -> None:
    """`--full` tries what the sample leaves out."""
    assert len(list(compositions(full=True))) > 20 * len(list(compositions()))
    assert len(list(seams(full=True))) > 1.5 * len(list(seams()))
    assert len(list(quotes(Numbers(), full=True))) > 20 * len(list(quotes(Numbers())))
