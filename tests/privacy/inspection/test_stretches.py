"""What is found in a message in one piece is found in its parts, wherever an app divides it."""

import pytest

from gateway.core.document import freeze_object
from gateway.privacy import Inspector
from gateway.privacy.inspection.stretches import NEAR, stretches
from gateway.wire.anthropic.requests import parse_messages

_SAID = {
    "a password": ("My password is", "hunter2Secret!9"),
    "a password in a form": ("Password:", "Tr0ub4dor&3"),
    "a PIN": ("PIN:", "4821"),
    "a passport": ("Passport number", "X4837261"),
    "a code of a door": ("The door code is", "4821#"),
    "in three parts": ("My", "password is", "hunter2Secret!9"),
}
_MARK = {"cache_control": {"type": "ephemeral"}}
_LONG = "The committee met again and spoke of bread. " * (NEAR // 10)


def parts(*texts: str, marked: int | None = None) -> list[dict[str, object]]:
    """Return texts as parts, one of them with a mark for a cache."""
    return [{"type": "text", "text": text} | (_MARK if at == marked else {}) for at, text in enumerate(texts)]


@pytest.mark.parametrize("texts", _SAID.values(), ids=_SAID)
@pytest.mark.parametrize("marked", [None, 0, 1])
def test_a_mark_for_a_cache_hides_nothing(plain_inspector: Inspector, texts: tuple[str, ...], marked: int) -> None:
    """Marks keep the texts of an Anthropic request apart; what they say together is found all the same."""
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": parts(*texts, marked=marked)}]}
    found = plain_inspector.inspect(parse_messages(freeze_object(body)).document).findings
    assert {finding.category.partition(".")[0] for finding in found} & {"secret", "id"}


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_a_value_has_its_place_in_its_part(plain_inspector: Inspector, role: str) -> None:
    """A finding tells where the value stands, so that it can be masked; long texts are read around their edges."""
    texts = (_LONG + "my password is", "hunter2Secret!9 and " + _LONG)
    body = freeze_object({"messages": [{"role": role, "content": parts(*texts)}]})
    (found,) = plain_inspector.inspect(body).findings
    assert found.path == "$.messages[0].content[1].text"
    assert texts[1][found.start : found.end].startswith("hunter2Secret!9")


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (("Write to jane.doe@clinic-north.com", "and to Joe, soon."), 0),
        (("The bells had stopped when they came.", "ES91 2100 0418 4502 0005 1332"), 1),
        (("The choir went home.", "4111 1111 1111 1111"), 1),
    ],
)
def test_what_a_part_says_alone_is_told_once(plain_inspector: Inspector, texts: tuple[str, ...], told: int) -> None:
    """Reading parts together adds nothing to what each of them says by itself, also where lines are read as one."""
    body = freeze_object({"messages": [{"role": "user", "content": parts(*texts)}]})
    assert [found.path for found in plain_inspector.inspect(body).findings] == [f"$.messages[0].content[{told}].text"]
    assert [len(stretch.pieces) for stretch in stretches(body)] == [2]
