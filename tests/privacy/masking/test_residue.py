"""A masked value is not left anywhere, whatever it is dressed as."""

import base64
import json
import urllib.parse

import pytest

from gateway.core.document import freeze_object
from gateway.privacy.masking.residue import has_residue

NAME, PHONE = "María García López", "+34 612 345 678"


def said(*texts: str, **more: object):
    messages = [{"role": "user", "content": text} for text in texts]
    return freeze_object({"model": "auto", "messages": messages, **more})


@pytest.mark.parametrize(
    "text",
    [
        NAME.upper(),
        "maria garcia lopez",
        "https://x.example/people/maria-garcia-lopez",
        "mariagarcialopez2",
        "34.612.345.678",
        "+34612345678",
        "＋３４ ６１２ ３４５ ６７８",
        base64.b64encode(f"call {PHONE} now".encode()).decode(),
        base64.b64encode(base64.b64encode(NAME.encode())).decode(),
        NAME.encode().hex(),
        urllib.parse.quote(f"who is {NAME}?"),
        json.dumps({"a": json.dumps({"b": NAME})}),
        "María\nGarcía\nLópez",
        "M a r í a G a r c í a L ó p e z",
    ],
)
def test_it_is_read_through_every_disguise(text):
    """A value is seen through case, accents, separators, and encodings in encodings."""
    assert has_residue(said(f"before {text} after"), [NAME, PHONE])


def test_it_is_read_in_keys_and_across_messages():
    """A value is seen in metadata, in tools, and as a number that two messages share."""
    assert has_residue(said("hi", metadata={NAME: 1}), [NAME])
    assert has_residue(said("hi", tools=[{"x": [PHONE]}]), [PHONE])
    assert has_residue(said("my number begins 34 612", "345 678 is the rest"), [PHONE])


def test_other_text_is_no_residue():
    """Pseudonyms, parts of a name, short values inside longer words; short values in encodings are."""
    document = said("Persona-K47 (María, +34 6XX XXX K47) eats a banana with Anabel in López street, 345 678 times")
    assert not has_residue(document, [NAME, PHONE, "Ana"])
    assert has_residue(said("look: " + base64.b64encode(b"I am Ana of the house").decode()), ["Ana"])


def test_what_can_not_be_looked_at_counts_as_left():
    """Encodings nested deeper than is looked at count as if the value was left."""
    text = "nothing at all to see here"
    for _ in range(8):
        text = base64.b64encode(text.encode()).decode()
    assert has_residue(said(text), [NAME])
