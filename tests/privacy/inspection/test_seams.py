"""Identifiers that are cut between strings, wherever the pieces stand; and numbers side by side that are nothing."""

import json
import random

import pytest

from gateway.core.document import freeze_object
from gateway.privacy import Inspector
from gateway.privacy.masking.residue import has_residue

CARD, IBAN, DNI = "4111111111111111", "ES9121000418450200051332", "12345678Z"


def turns(*turns: tuple[str, str]) -> dict[str, object]:
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def tool(*pages: str) -> dict[str, object]:
    messages: list[object] = [{"role": "user", "content": "read it"}]
    for number, page in enumerate(pages):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "read", "arguments": '{"page": 2}'}}
        messages.append({"role": "assistant", "content": "Now the next page.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": page})
    return {"messages": messages}


CUT: dict[str, tuple[str, dict[str, object]]] = {
    "neighbouring inputs": ("financial.card", {"input": ["my card is 4111 1111", "1111 1111 thanks"]}),
    "bare inputs": ("financial.card", {"input": ["41111111", "11111111"]}),
    "inputs with one between": ("id.national", {"input": ["el DNI es 1234", "hola", "5678Z gracias"]}),
    "prompts": ("id.national", {"prompt": ["mi DNI es 1234", "5678Z, apunta"]}),
    "messages": ("financial.iban", turns(("user", "ES9121000418"), ("user", "450200051332"))),
    "turns of one role": (
        "financial.iban",
        turns(("user", "first half: ES9121000418"), ("assistant", "Noted."), ("user", "450200051332 is the rest")),
    ),
    "pages of a tool": ("id.national", tool("Ana Ruiz, DNI 1234", "5678Z, Calle Mayor")),
    "parts of a message": (
        "id.national",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": t} for t in ("DNI 1234", "5678Z ok")]}]},
    ),
    "an array of strings": ("financial.card", {"x": ["4111", "1111", "1111", "1111"]}),
    "an array of numbers": ("financial.card", {"x": [4111, 1111, 1111, 1111]}),
    "an array of digits": ("financial.card", {"x": [int(digit) for digit in CARD]}),
    "an array of an account's groups": ("financial.iban", {"x": ["ES", "9121", "0004", "1845", "0200", "0513", "32"]}),
    "an array among words": ("financial.card", {"x": ["card", "4111", "1111", "1111", "1111", "expires soon"]}),
    "values of an object": ("financial.card", {"x": {"a": "4111", "b": "1111", "c": 1111, "d": "1111"}}),
    "values of objects": ("financial.card", {"x": [{"p": "4111"}, {"p": "1111"}, {"p": "1111"}, {"p": "1111"}]}),
    "number and letter": ("id.national", {"x": {"number": 12345678, "letter": "Z"}}),
    "text, pieces, text": ("financial.card", {"input": ["card: 4111", "1111", "1111", "1111 is it"]}),
    "JSON in a text": ("financial.card", tool(json.dumps({"card": ["4111", "1111", "1111", "1111"]}))),
    "an object of JSON in a text": ("financial.card", tool(json.dumps({"a": 4111, "b": 1111, "c": 1111, "d": 1111}))),
    "JSON in JSON": ("financial.card", tool(json.dumps({"r": json.dumps({"c": ["4111", "1111", "1111", "1111"]})}))),
    "a list in a text": ("financial.card", turns(("user", "the groups are [4111, 1111, 1111, 1111], right?"))),
    "a list of strings in code": ("financial.card", turns(("user", "groups = ('4111', '1111', '1111', '1111')"))),
}


@pytest.mark.parametrize("name", CUT)
def test_a_value_that_is_cut_between_strings_is_found(inspector: Inspector, name: str) -> None:
    """Whatever the pieces stand in, and with a sentence between them, the value is found by its category."""
    category, body = CUT[name]
    assert category in {finding.category for finding in inspector.inspect(freeze_object(body)).findings}


@pytest.mark.parametrize("name", CUT)
def test_a_masked_document_with_the_pieces_of_a_value_has_a_residue(name: str) -> None:
    """What can be put together from neighbouring texts is left, and so the document stays at home."""
    assert has_residue(freeze_object(CUT[name][1]), [CARD, IBAN, DNI])


def numbers(rng: random.Random, low: int, high: int, count: int) -> list[int]:
    return [rng.randint(low, high) for _ in range(count)]


RNG = random.Random(5)
NOTHING: dict[str, object] = {
    "rows of four numbers": [numbers(RNG, 4000, 4999, 4) for _ in range(200)],
    "boxes in a picture": [numbers(RNG, 0, 5999, 4) for _ in range(200)],
    "rows of eight digits": [numbers(RNG, 10**7, 10**8 - 1, 2) for _ in range(200)],
    "a list of order numbers": [str(number) for number in numbers(RNG, 10**7, 10**8 - 1, 300)],
    "a list of postcodes": [str(number) for number in numbers(RNG, 10**4, 52999, 300)],
    "years": [2019, 2020, 2021, 2022, 2023],
    "a table in JSON": json.dumps([{"a": a, "b": b} for a, b in (numbers(RNG, 1000, 9999, 2) for _ in range(200))]),
    "a table in a text": "\n".join(str(numbers(RNG, 4000, 4999, 4)) for _ in range(100)),
    "vectors": [[RNG.random() for _ in range(8)] for _ in range(40)],
    "ids and grades": [{"id": number, "grade": RNG.choice("ABCDE")} for number in numbers(RNG, 10**7, 10**8 - 1, 60)],
    "versions": {"node": "18.20.4", "npm": "10.7.0", "yarn": "1.22.22", "lockfileVersion": 3},
    "sizes": [1024, 2048, 4096, 8192],
    "a colour": [255, 128, 64, 32],
    "dates": ["2024-05-01", "2024-05-02", "2024-06-11", "2024-07-30"],
    "times": [1715000000, 1715003600, 1715007200],
}


@pytest.mark.parametrize("name", NOTHING)
def test_numbers_side_by_side_are_no_identifier(inspector: Inspector, name: str) -> None:
    """Tables, lists of ids and measures are not put together into cards, although some have a right check digit."""
    assert inspector.inspect(freeze_object({"x": NOTHING[name]})).findings == ()


@pytest.mark.parametrize(
    "pieces",
    [
        ("4111", "1111", "1111", "1111"),
        ("ES91", "2100", "0418", "4502", "0005", "1332"),
        ("Mi tarjeta empieza por 4111", "1111", "1111", "1111"),
        ("4111", "1111", "1111", "1111 y eso es todo"),
    ],
)
def test_pieces_in_turns_with_answers_between_are_found(inspector: Inspector, pieces: tuple[str, ...]) -> None:
    """A number that is told turn by turn is found, however many turns it takes."""
    told = [turn for piece in pieces for turn in (("user", piece), ("assistant", "Sigue, por favor."))]
    assert inspector.inspect(freeze_object(turns(*told))).findings
