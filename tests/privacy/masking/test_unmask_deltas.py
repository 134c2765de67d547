"""Answers come back with the values, in any pieces, and nothing else is touched or held."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.delta import Extra, Finish, FinishReason, Reasoning, Text, TokenLogprob, ToolCallPart, UsageReport
from gateway.core.document import freeze_object
from gateway.core.provider_fields import DELTAS, FIELD
from gateway.core.usage import Usage
from gateway.privacy.masking.pseudonyms import NOUNS, PLURALS, PseudonymEntry, plainly
from gateway.privacy.masking.unmask_deltas import Unmasking
from gateway.privacy.masking.unmask_text import PseudonymMapping, Restoring

VALUES = {
    "Persona-K47": 'Ana "la Rubia" López',
    "PERSONA-K47": "ANA LÓPEZ",
    "k47@mail.invalid": "ana@clinica-sol.es",
    "+34 6XX XXX B03": "+34 612 345 678",
    "6XXXXXB03": "612345678",
    "Dato-K4": "line\nbreak\\",
}
ENTRIES = tuple(
    PseudonymEntry(original=value, pseudonym=name, category="person", code=name[-3:]) for name, value in VALUES.items()
)
MAPPING = PseudonymMapping(ENTRIES)
SPELLINGS = [plainly(name.lower()) for name in VALUES] + [
    f"{noun}{plural}-k47s" for noun in NOUNS for plural in PLURALS
]
ENDING = (Finish(reason=FinishReason.STOP), UsageReport(usage=Usage()))


@pytest.mark.parametrize(
    "written",
    ["Persona K47", "Persona–K47", "Persona—K47", "Persona\u00a0K47", "Persona_K47", "Person-K47", "Person K47",
     "Personas-K47", "Persona-K47s", "Señora-K47", "Sra. K47", "Personne-K47"],
)  # fmt: skip
def test_other_spellings_come_back_too(written):
    """Any dash or space, the plural, and the noun in another language: the code says who is meant."""
    assert MAPPING.whole(f"Dear {written}, you") == f"Dear {VALUES['Persona-K47']}, you"
    assert MAPPING.whole(f"{written}'s and {written}’s") == "{0}'s and {0}’s".format(VALUES["Persona-K47"])
    pieces = [
        piece.text for stream in [Restoring(MAPPING)] for letter in written + "." for piece in stream.push(letter)
    ]
    assert "".join(pieces) == VALUES["Persona-K47"] + "."


@pytest.mark.parametrize(
    "written", ["Persona-K48", "Persona K4", "K47", "Personaje K47", "Persona-K472", "Vitamin K47"]
)
def test_what_is_no_pseudonym_stays(written):
    """Another code, a code alone and another word in front are the model's own."""
    assert MAPPING.whole(f"See {written}, you") == f"See {written}, you"


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({min(place, len(text)) for place in places})
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def run(deltas, *, json_text: bool = False):
    unmasking = Unmasking(MAPPING, json_text=json_text)
    return [out for delta in deltas for out in unmasking.feed(delta)]


def text_of(deltas, index: int = 0) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, Text) and delta.index == index)


ANSWERS = st.lists(
    st.one_of(
        st.sampled_from(
            [*VALUES, "Persona-K471", "xPersona-K47", "Persona-K4", "Persona-", "+34 6XX", " ", ". ", "\n"]
        ),
        st.text(max_size=4),
    ),
    max_size=8,
)


def plain(words: list[str]) -> str:
    return "".join(VALUES.get(word, word) for word in words)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*VALUES, "the", "Persona-", "6XX", "é"]), max_size=8),
    st.lists(st.integers(0, 120)),
)
def test_echoed_pseudonyms_come_back_under_any_chunking(words, places):
    """The pieces joined are the text with its values, however the stream was cut."""
    answer = " ".join(words)
    deltas = run([*(Text(text=piece) for piece in cut(answer, places)), *ENDING])
    assert text_of(deltas) == " ".join(VALUES.get(word, word) for word in words)
    assert deltas[-2:] == list(ENDING)


@settings(deadline=None)
@given(ANSWERS, st.lists(st.integers(0, 120)))
@example(words=["Persona-", "k47@mail.invalid"], places=[])
@example(words=["Persona-", "k47@mail.invalid"], places=[12])
def test_chunking_changes_nothing(words, places):
    """Whole or in pieces, the restored text is the same."""
    answer = "".join(words)
    stream = Restoring(MAPPING)
    pieces = [piece for part in cut(answer, places) for piece in stream.push(part)]
    pieces += stream.end()
    assert "".join(piece.text for piece in pieces) == MAPPING.whole(answer)
    assert sum(piece.raw for piece in pieces) == len(answer)


@settings(deadline=None)
@given(ANSWERS, st.lists(st.integers(0, 120)))
@example(words=["Persona-", "k47@mail.invalid"], places=[])  # one pseudonym ends inside what looks like another
def test_only_beginnings_of_pseudonyms_are_held_back(words, places):
    """What is held is, letter for letter, the beginning of a known pseudonym."""
    stream = Restoring(MAPPING)
    pushed, released = "", 0
    for part in cut("".join(words), places):
        pushed += part
        released += sum(piece.raw for piece in stream.push(part))
        held = plainly(pushed[released:].lower())
        assert not held or any(spelling.startswith(held) for spelling in SPELLINGS)


@pytest.mark.parametrize(
    ("answer", "restored"),
    [
        ("Persona-K47, buenos días", 'Ana "la Rubia" López, buenos días'),
        ("**Persona-K47**'s mail: k47@mail.invalid.", '**Ana "la Rubia" López**\'s mail: ana@clinica-sol.es.'),
        ("persona-k47", 'ana "la rubia" lópez'),
        ("Persona‑K47", 'Ana "la Rubia" López'),
        ("Persona-K471 y Persona-Z99 y miPersona-K47", "Persona-K471 y Persona-Z99 y miPersona-K47"),
        ("K47@MAIL.INVALID", "ANA@CLINICA-SOL.ES"),
        ("+34 6XX XXX B03 = 6XXXXXB03", "+34 612 345 678 = 612345678"),
    ],
)
def test_words(answer, restored):
    """Case and hyphens as the model likes them; names that it made up are left alone."""
    assert text_of(run([*(Text(text=letter) for letter in answer), *ENDING])) == restored


def test_each_choice_and_channel_is_a_stream_of_its_own():
    """Pieces of different choices, or of thinking and answer, are never put together."""
    deltas = run(
        [
            Text(text="Persona-", index=0), Text(text="Persona-", index=1), Reasoning(text="Persona-"),
            Text(text="K47 ", index=0), Text(text="Z1 ", index=1), Reasoning(text="K47"),
            Finish(reason=FinishReason.STOP, index=0), Finish(reason=FinishReason.STOP, index=1),
            UsageReport(usage=Usage()),
        ]
    )  # fmt: skip
    assert text_of(deltas, 0) == 'Ana "la Rubia" López '
    assert text_of(deltas, 1) == "Persona-Z1 "
    assert "".join(delta.text for delta in deltas if isinstance(delta, Reasoning)) == 'Ana "la Rubia" López'
    finish = deltas.index(Finish(reason=FinishReason.STOP, index=0))
    assert any(isinstance(delta, Reasoning) for delta in deltas[:finish])


@settings(deadline=None)
@given(st.lists(st.integers(0, 120)))
def test_arguments_of_tool_calls_stay_valid_json(places):
    """Fragments of two calls at once; quotes, backslashes and line breaks of the values are escaped."""
    sent = {"who": "Persona-K47", "ref": ["Dato-K4", "Persona-K471"], "mail": "k47@mail.invalid"}
    pieces = cut(json.dumps(sent), places)
    parts = [ToolCallPart(call=call, id=f"c{call}", name="send") for call in (0, 1)]
    for piece in pieces:
        parts += [ToolCallPart(call=0, arguments=piece), ToolCallPart(call=1, arguments=piece)]
    deltas = run([*parts, Finish(reason=FinishReason.TOOL_CALLS), UsageReport(usage=Usage())])
    for call in (0, 1):
        calls = [delta for delta in deltas if isinstance(delta, ToolCallPart) and delta.call == call]
        assert json.loads("".join(part.arguments for part in calls)) == {
            "who": VALUES["Persona-K47"],
            "ref": [VALUES["Dato-K4"], "Persona-K471"],
            "mail": VALUES["k47@mail.invalid"],
        }
        assert [(part.id, part.name) for part in calls if part.id] == [(f"c{call}", "send")]


@pytest.mark.parametrize("escape", ["\\n", "\\u00bf", "\\\\u000A", "\\u00e1"], ids=["n", "sign", "nested", "letter"])
def test_an_escape_before_a_pseudonym_may_be_cut_anywhere(escape):
    """Whether a letter stands before a pseudonym does not hang on where the stream was cut."""
    answer = f'{{"note": "Hola{escape}Persona-K47"}}'
    value = "Persona-K47" if escape == "\\u00e1" else json.dumps(VALUES["Persona-K47"], ensure_ascii=False)[1:-1]
    for place in range(len(answer)):
        deltas = run([*(Text(text=piece) for piece in cut(answer, [place])), *ENDING], json_text=True)
        assert text_of(deltas) == answer.replace("Persona-K47", value), place
    letters = run([*(Text(text=letter) for letter in answer), *ENDING], json_text=True)
    assert text_of(letters) == answer.replace("Persona-K47", value)


def test_json_answers_stay_json():
    """Where the client asked for JSON, values are written as JSON strings have them."""
    answer = json.dumps({"name": "Persona-K47", "note": "Dato-K4"})
    deltas = run([*(Text(text=letter) for letter in answer), *ENDING], json_text=True)
    assert json.loads(text_of(deltas)) == {"name": VALUES["Persona-K47"], "note": VALUES["Dato-K4"]}


def test_log_probabilities_stay_with_the_text_that_came_as_it_was():
    """Those of pieces that a pseudonym touches are left out; held text that was none keeps its own."""
    tokens = ["Hola ", "Persona", "-K47", ", tu ", "Person", "al ", "fin"]
    deltas = run(
        [
            *(
                Text(text=text, logprobs=(TokenLogprob(token=text, logprob=-0.5, raw=text.encode()),))
                for text in tokens
            ),
            *ENDING,
        ]
    )
    kept = [token.token for delta in deltas if isinstance(delta, Text) for token in delta.logprobs]
    assert text_of(deltas) == 'Hola Ana "la Rubia" López, tu Personal fin'
    assert kept == ["Hola ", ", tu ", "Person", "al ", "fin"]


def test_an_answer_without_pseudonyms_passes_as_it_is():
    """An answer without pseudonyms passes as the very same deltas, at once."""
    deltas = [Text(text="Hello"), Text(text=" you, "), Reasoning(text="hm "), *ENDING]
    assert run(deltas) == deltas


def test_fields_beside_a_tool_call_stay_with_it():
    """A server's own fields of a call, such as the signature of a thought, come through as they are."""
    extra = freeze_object({"extra_content": {"google": {"thought_signature": "c2ln"}}})
    part = ToolCallPart(call=0, id="c0", name="send", arguments="{}", extra=extra)
    deltas = run([part, ToolCallPart(call=0, extra=extra), Finish(reason=FinishReason.TOOL_CALLS)])
    assert deltas[:2] == [part, ToolCallPart(call=0, extra=extra)]


def test_citations_quote_what_the_client_wrote():
    """What a citation quotes has the values again; thoughts that their provider signed stay as they came."""
    quote = {"type": "citations_delta", "citation": {"cited_text": "Ask Persona-K47.", "document_index": 0}}
    thought = {"text": "Persona-K47", "signature": "x"}
    [found] = Unmasking(MAPPING).feed(Extra(fields=freeze_object({DELTAS: [quote], FIELD: [thought]})))
    assert found.fields[DELTAS][0]["citation"]["cited_text"] == f"Ask {VALUES['Persona-K47']}."
    assert found.fields[FIELD][0]["text"] == "Persona-K47"
