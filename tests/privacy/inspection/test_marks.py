"""Identifiers that marks divide within one text are found; tables, lists and code full of numbers stay clean."""

import base64
import gzip
import json
import random

import pytest

from gateway.core.document import freeze_object
from gateway.privacy.inspection.inspector import Inspector
from tests.privacy.inspection.marked_texts import HARMLESS, one_row

DIVIDED = (
    "| a | b |\n|---|---|\n| 4111 1111 | 1111 1111 |",
    "| Ana | 4111 1111 | 1111 1111 | 12/27 |",
    "| 4111 | 1111 | 1111 | 1111 | 2027 |",
    "| DNI | 1234 | 5678Z |",
    "| X1234 | 567L |",
    "| ES91 2100 | 0418 4502 | 0005 1332 |",
    "- 4111\n- 1111\n- 1111\n- 1111",
    "1. 4111\n2. 1111\n3. 1111\n4. 1111",
    "- DNI 12345678\n- Z",
    "- ES91\n- 2100\n- 0418\n- 4502\n- 0005\n- 1332",
    "> 4111\n> 1111\n> 1111\n> 1111",
    "4111 -\n1111 -\n1111 -\n1111",
    "4111-<b>1111</b>-1111 1111",
    "<td>4111 1111</td><td>1111 1111</td>",
    "4111<br>1111<br>1111<br>1111",
    "DNI <b>1234</b>5678Z",
    "Mi tarjeta es 4111 **1111** 1111 1111, gracias.",
    'El resultado es ["DNI 1234", "5678Z"] y nada más.',
    'El resultado es ["4111 1111", "1111 1111"] y nada más.',
)


def kept(inspector: Inspector, body: object) -> bool:
    seen = inspector.inspect(freeze_object({"messages": [{"role": "user", "content": body}]}))
    return bool(seen.findings or seen.doubts)


@pytest.mark.parametrize("text", DIVIDED)
def test_an_identifier_divided_by_marks_is_found(inspector: Inspector, text: str) -> None:
    """Cells, items, tags, quotes, emphasis and lines hide no card, account or identity number."""
    assert kept(inspector, text)


@pytest.mark.parametrize("text", HARMLESS)
def test_tables_lists_and_code_stay_clean(inspector: Inspector, text: str) -> None:
    """Numbers beside each other are no identifier because one of many readings has a right check digit."""
    assert not kept(inspector, text)


def test_a_row_of_four_numbers_alone_is_rarely_kept(inspector: Inspector) -> None:
    """A table of one row, four numbers of four digits, looks like a card by chance: few are kept."""
    assert sum(kept(inspector, one_row(seed)) for seed in range(100)) <= 6


SAID = b"Mi DNI es 12345678Z y mi IBAN ES91 2100 0418 4502 0005 1332, no se lo digas a nadie por favor."


@pytest.mark.parametrize("size", [12, 20, 40, 76])
@pytest.mark.parametrize("data", [SAID, gzip.compress(SAID)], ids=["plain", "packed"])
def test_an_encoding_cut_into_pieces_is_read(inspector: Inspector, data: bytes, size: int) -> None:
    """base64 that is cut into the items of an array is read as a whole."""
    text = base64.b64encode(data).decode()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    seen = inspector.inspect(freeze_object({"x": pieces}))
    assert {"dni", "iban"} <= {finding.detector for finding in seen.findings}
    assert kept(inspector, json.dumps({"rows": pieces}))


def test_hashes_in_a_row_are_no_encoding(inspector: Inspector) -> None:
    """Digests, ids and words of one length in an array stay clean."""
    numbers = random.Random(5)
    for pieces in ([numbers.randbytes(20).hex() for _ in range(20)], ["abcd", "efgh", "ijkl"], ["Lunes", "Jueve"]):
        assert not inspector.inspect(freeze_object({"x": pieces})).findings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ana,1,600 123 456", True),
        ("611 222 333/600 123 456", True),
        ("n#600 123 456", True),
        ("t=600 123 456", True),
        ("a/+34600123456", True),
        ("pages/600 123 456 789", False),
        ("x=600 123 4567", False),
        ("https://example.com/600-123-456", False),
        ("3,141 592 653", False),
        ("total 1,234 567 890", False),
    ],
)
def test_a_telephone_behind_a_mark(inspector: Inspector, text: str, found: bool) -> None:
    """A telephone in a row of a file, behind a slash, a hash or an equals sign is found; no other number there is."""
    assert kept(inspector, text) == found
