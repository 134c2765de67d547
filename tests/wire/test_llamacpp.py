"""llama.cpp's own dialect: llama-server's bodies in, its events and objects out."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.core.delta import Delta, Embeddings, Finish, FinishReason, Text, Tokenized, TokenLogprob, UsageReport
from gateway.core.document import thaw
from gateway.core.errors import (
    AduanaError,
    BadRequest,
    ContextLengthExceeded,
    NotFound,
    TargetError,
    TargetProtocolError,
    Unauthorized,
    Unavailable,
)
from gateway.core.request import CompletionRequest, Dialect, Snippet, TextWork
from gateway.core.target import Capability
from gateway.core.usage import Usage
from gateway.wire import llamacpp
from tests.standins.traits import traits

DELTAS: list[Delta] = [
    Text(text="a\n", logprobs=(TokenLogprob(token="a", logprob=-0.5, raw=b"a", top=(("a", -0.5, b"a"),)),)),
    Text(text="b"),
    Finish(reason=FinishReason.STOP, stop="END"),
    UsageReport(usage=Usage(input=3, input_cached=2, output=2)),
]


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "prompt": "Once"} | fields).encode()


def completion(**fields: Any) -> CompletionRequest:
    return llamacpp.parse_completion(body(**fields)).request


def clock() -> Callable[[], float]:
    """A clock that goes on by half a second each time it is looked at."""
    times = iter(range(1000))
    return lambda: next(times) / 2


def test_options_are_translated() -> None:
    """Each option that the engine has reaches it; endless answers and random seeds are no numbers."""
    request = completion(
        n_predict=7,
        temperature=0.5,
        top_k=4,
        min_p=0.1,
        seed=3,
        stop=["x"],
        n_probs=2,
        repeat_penalty=1.2,
        ignore_eos=True,
        logit_bias=[[5, False], ["no", -2.5]],
    )
    sampling = request.sampling
    assert (request.dialect, request.control_tokens, request.insert) == (Dialect.LLAMACPP, True, False)
    assert (sampling.max_tokens, sampling.temperature, sampling.top_k, sampling.min_p) == (7, 0.5, 4, 0.1)
    assert (sampling.seed, sampling.stop, sampling.repeat_penalty, sampling.ignore_eos) == (3, ("x",), 1.2, True)
    assert (sampling.logprobs, sampling.top_logprobs) == (True, 2)
    assert (sampling.logit_bias, sampling.word_bias) == (((5, -100.0),), (("no", -2.5),))
    endless = completion(n_predict=-1, seed=-1, logit_bias={"7": 1}).sampling
    assert (endless.max_tokens, endless.seed, endless.logit_bias) == (None, None, ((7, 1.0),))
    assert completion(grammar='root ::= "a"').response_format.kind == "grammar"
    assert completion(json_schema={"type": "object"}).response_format.kind == "json_schema"


def test_what_is_not_heeded_is_named() -> None:
    """Other samplers and limits of time are left out by name; what holds anyway is not."""
    asked = completion(mirostat=2, t_max_predict_ms=100, cache_prompt=True, response_fields=["content"])
    assert asked.left_out == ("mirostat", "t_max_predict_ms")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a", ("a",)),
        (["a"], ("a",)),
        ([1, 2], ((1, 2),)),
        ([[1, 2]], ((1, 2),)),
        ("", ("",)),
        (["a", [1]], ("a", (1,))),
    ],
)
def test_a_prompt_is_a_text_or_token_numbers(prompt: Any, expected: Any) -> None:
    """Also several in an array."""
    assert completion(prompt=prompt).prompts == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": None},
        {"prompt": ["a", 1]},
        {"prompt": [["a", 1], "b"]},
        {"prompt": []},
        {"prompt": {"prompt_string": "a", "multimodal_data": ["x"]}},
        {"n_predict": "many"},
        {"n_probs": 500},
        {"logit_bias": [[1]]},
        {"logit_bias": [[True, 1]]},
        {"grammar": 'root ::= "a"', "json_schema": {"type": "object"}},
        {"api_base": "http://evil"},
    ],
)
def test_bad_completions(fields: dict[str, Any]) -> None:
    """What can't be heeded is refused, never guessed."""
    with pytest.raises(BadRequest):
        completion(**fields)


def test_an_infill_has_all_its_text_in_the_document() -> None:
    """Beginning, end and pieces of other files are inspected with the rest, and asked for as a text with a hole."""
    given = {
        "model": "m",
        "input_prefix": "a\n",
        "prompt": "b",
        "input_suffix": "z",
        "input_extra": [{"filename": "x.py", "text": "y"}, {"text": "w"}],
        "n_predict": 5,
    }
    request = llamacpp.parse_infill(json.dumps(given).encode()).request
    assert (request.prompts, request.suffix, request.insert, request.control_tokens) == (("a\nb",), "z", True, False)
    assert request.snippets == (Snippet(name="x.py", text="y"), Snippet(name="tmp", text="w"))
    assert request.left_out == ()
    assert thaw(request.document) == {
        "model": "m",
        "max_tokens": 5,
        "prompt": "a\nb",
        "suffix": "z",
        "input_extra": [{"filename": "x.py", "text": "y"}, {"text": "w"}],
    }
    assert llamacpp.parse_infill(b'{"model":"m","input_prefix":"a","input_suffix":""}').request.insert
    glued = llamacpp.parse_infill(b'{"model":"m","input_prefix":"a","input_suffix":"","prompt":"Diagnosis"}').request
    assert glued.prompts == ("aDiagnosis",)
    assert "Diagnosis" in glued.document.values()  # whole, so that inspection can read it
    for extra in ({}, {"filename": "x"}, {"filename": 1, "text": "y"}, {"text": 3}, "x"):
        broken = {"model": "m", "input_prefix": "a", "input_suffix": "b", "input_extra": [extra]}
        with pytest.raises(BadRequest, match="input_extra"):
            llamacpp.parse_infill(json.dumps(broken).encode())
    with pytest.raises(BadRequest, match="input_suffix"):
        llamacpp.parse_infill(b'{"model":"m","input_prefix":"a"}')


def test_one_address_serves_both_dialects() -> None:
    """`/completions` is OpenAI's, unless a field of llama-server's own stands in the body."""
    ours = llamacpp.parse_unversioned(body(n_predict=3))
    theirs = llamacpp.parse_unversioned(body(max_tokens=3))
    assert isinstance(ours, llamacpp.LlamaCompletion)
    assert isinstance(theirs, CompletionRequest)
    assert theirs.dialect is Dialect.OPENAI


@pytest.mark.parametrize(
    ("content", "inputs"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([{"prompt_string": "a"}, "b"], ("a", "b")),
        ({"prompt_string": "a"}, ("a",)),
        ([1, 2], ((1, 2),)),
    ],
)
def test_embeddings_of_content(content: Any, inputs: Any) -> None:
    """Texts stand under `content`, also in the form that pictures would have; each gets one vector."""
    request = llamacpp.parse_embeddings(json.dumps({"model": "m", "content": content, "odd": 1}).encode())
    assert (request.dialect, request.inputs, request.left_out) == (Dialect.LLAMACPP, inputs, ("odd",))
    found = Embeddings(vectors=((1.0, 2.0),), usage=Usage(input=1))
    assert json.loads(llamacpp.embeddings_body(found)) == [{"index": 0, "embedding": [[1.0, 2.0]]}]


def test_embeddings_of_openai_and_of_pictures() -> None:
    """`input` makes a body OpenAI's; a picture is refused by its place, never left out."""
    assert llamacpp.parse_embeddings(b'{"model":"m","input":"a"}').dialect is Dialect.OPENAI
    for content in ([{"prompt_string": "x", "multimodal_data": ["aGk="]}], [{"multimodal_data": []}], 3, [], [None]):
        with pytest.raises(BadRequest):
            llamacpp.parse_embeddings(json.dumps({"model": "m", "content": content}).encode())


def test_work_on_texts() -> None:
    """Texts, token numbers and conversations are read as llama-server's clients send them."""
    request, pieces = llamacpp.parse_tokenize(b'{"model":"m","content":"a","add_special":true,"with_pieces":true}')
    assert (request.work, request.text, request.add_special, pieces) == (TextWork.TOKENIZE, "a", True, True)
    assert request.control_tokens
    plain, _ = llamacpp.parse_tokenize(b'{"model":"m","content":"a","parse_special":false}')
    assert not plain.control_tokens
    numbers = llamacpp.parse_detokenize(b'{"model":"m","tokens":[1,2]}')
    assert (numbers.work, numbers.ids) == (TextWork.DETOKENIZE, (1, 2))
    chat = llamacpp.parse_template(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}')
    assert chat.work is TextWork.TEMPLATE
    assert chat.chat is not None
    assert (request.pieces, plain.pieces) == (True, False)
    with pytest.raises(BadRequest, match="content"):
        llamacpp.parse_tokenize(json.dumps({"model": "m", "content": "a " * 2_100_000}).encode())
    for tokens in ("[-1]", '["a"]', "3", "[1.5]"):
        with pytest.raises(BadRequest):
            llamacpp.parse_detokenize(b'{"model":"m","tokens":' + tokens.encode() + b"}")


def streamed(asked: llamacpp.LlamaCompletion, deltas: list[Delta]) -> list[dict[str, Any]]:
    encoder = llamacpp.stream(asked, clock=clock())
    data = encoder.start() + b"".join(encoder.encode(delta) for delta in deltas) + encoder.end()
    events = data.decode().split("\n\n")
    assert events.pop() == ""
    return [json.loads(event.removeprefix("data: ")) for event in events]


def test_a_stream_ends_with_its_own_last_event() -> None:
    """Each event has a piece of the text; the last one says why it ended and how long it took; no `[DONE]` follows."""
    *pieces, last = streamed(llamacpp.parse_completion(body(stream=True, n_predict=9)), DELTAS)
    assert [(one["content"], one["stop"]) for one in pieces] == [("a\n", False), ("b", False)]
    assert pieces[0]["completion_probabilities"][0]["logprob"] == -0.5
    assert (last["content"], last["stop"]) == ("", True)
    assert (last["stop_type"], last["stopping_word"], last["has_new_line"]) == ("word", "END", True)
    assert (last["tokens_evaluated"], last["tokens_cached"], last["tokens_predicted"]) == (5, 2, 2)
    assert last["timings"]["prompt_n"] == 3
    assert last["timings"]["predicted_ms"] == 500.0
    assert last["generation_settings"]["n_predict"] == 9


@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        (Finish(reason=FinishReason.STOP), "eos"),
        (Finish(reason=FinishReason.STOP, stop="x"), "word"),
        (Finish(reason=FinishReason.LENGTH), "limit"),
    ],
)
def test_a_whole_answer_says_why_it_ended(finish: Finish, kind: str) -> None:
    """In one object with all of the text."""
    whole = llamacpp.assembly(llamacpp.parse_completion(body()), clock=clock())
    for delta in (*DELTAS[:2], finish, DELTAS[-1]):
        whole.add(delta)
    found = json.loads(whole.body())
    assert (found["content"], found["stop_type"], found["prompt"]) == ("a\nb", kind, "Once")


def test_only_the_wanted_fields_come() -> None:
    """llama.vim names the few that it reads, by paths, and reads them under these names."""
    whole = llamacpp.assembly(
        llamacpp.parse_completion(body(response_fields=["content", "timings/prompt_n", "nothing/here"])), clock=clock()
    )
    for delta in (Text(text="x"), *DELTAS[2:]):
        whole.add(delta)
    assert json.loads(whole.body()) == {"content": "x", "timings/prompt_n": 3}


def test_several_prompts_get_an_answer_each() -> None:
    """An array of objects, or events with the prompt's index; the counts of all stand in the first."""
    deltas = [
        Text(text="x"),
        Text(text="y", index=1),
        DELTAS[2],
        Finish(reason=FinishReason.LENGTH, index=1),
        DELTAS[3],
    ]
    whole = llamacpp.assembly(llamacpp.parse_completion(body(prompt=["a", [1, 2]])), clock=clock())
    for delta in deltas:
        whole.add(delta)
    first, second = json.loads(whole.body())
    assert (first["content"], first["prompt"], first["stop_type"], first["tokens_predicted"]) == ("x", "a", "word", 2)
    assert (second["content"], second["prompt"], second["stop_type"], second["tokens_predicted"]) == (
        "y", [1, 2], "limit", 0,
    )  # fmt: skip
    events = streamed(llamacpp.parse_completion(body(prompt=["a", [1, 2]], stream=True)), deltas)
    assert [(one["index"], one["stop"]) for one in events] == [(0, False), (1, False), (0, True), (1, True)]


def test_unfinished_answers() -> None:
    """An answer without finish and usage has no end and is an error."""
    asked = llamacpp.parse_completion(body())
    with pytest.raises(TargetProtocolError):
        streamed(asked, [Text(text="x")])
    whole = llamacpp.assembly(asked, clock=clock())
    whole.add(Text(text="x"))
    with pytest.raises(TargetProtocolError):
        whole.body()


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (BadRequest("No."), 400, "invalid_request_error"),
        (BadRequest("No.", code="not_supported"), 400, "not_supported_error"),
        (ContextLengthExceeded("Long."), 400, "exceed_context_size_error"),
        (Unauthorized("Who?"), 401, "authentication_error"),
        (NotFound("Where?"), 404, "not_found_error"),
        (Unavailable("Later."), 503, "unavailable_error"),
        (TargetError("Broken."), 502, "server_error"),
    ],
)
def test_errors_have_llama_servers_types(error: AduanaError, status: int, kind: str) -> None:
    """Whole and in a stream."""
    expected = {"error": {"code": status, "message": error.message, "type": kind}}
    assert json.loads(llamacpp.error_body(error)) == expected
    event = llamacpp.stream(llamacpp.parse_completion(body()), clock=clock()).error(error)
    assert json.loads(event.removeprefix(b"data: ")) == expected


def test_props_and_slots_say_what_the_model_can() -> None:
    """Window, slots, media and template; of the slots only whether they work."""
    of = llamacpp.Properties(
        name="m", traits=traits(Capability.IMAGES, context=512), slots=2, busy=1, template="T", bos="<s>", version="1"
    )
    props = json.loads(llamacpp.props_body(of))
    assert props["default_generation_settings"]["n_ctx"] == 512
    assert (props["total_slots"], props["chat_template"], props["bos_token"]) == (2, "T", "<s>")
    assert props["modalities"] == {"vision": True, "audio": False}
    assert [slot["is_processing"] for slot in json.loads(llamacpp.slots_body(of))] == [True, False]


def test_pieces_that_are_no_text_are_bytes() -> None:
    """A token can be a part of a character."""
    found = Tokenized(text="é", ids=(1, 2), pieces=(b"\xc3", b"a"))
    assert json.loads(llamacpp.tokens_body(found, pieces=True)) == {
        "tokens": [{"id": 1, "piece": [0xC3]}, {"id": 2, "piece": "a"}]
    }
    assert json.loads(llamacpp.tokens_body(found, pieces=False)) == {"tokens": [1, 2]}
