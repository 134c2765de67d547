"""Parse llama-server's completions and infills into typed requests. Pure.

The body is translated into the document of an OpenAI text completion, which is what is inspected, decided on and sent.
What of the body has no place there (other samplers, limits of time) is named in the answer.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject, freeze_object, thaw
from gateway.core.request import CompletionRequest, Dialect
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.left_out import left_out, part
from gateway.wire.openai import requests as openai_requests

_SAME_NAME = (
    "model", "stream", "temperature", "top_k", "top_p", "min_p", "repeat_penalty", "presence_penalty",
    "frequency_penalty", "ignore_eos", "stop", "grammar", "json_schema", "user",
)  # fmt: skip
_OTHER_NAME = ("n_predict", "max_tokens", "n_probs", "logit_bias", "seed", "response_fields")
_ALWAYS_SO = ("cache_prompt",)  # prompts are cached here, whatever is asked for
_OPTIONS = (*_SAME_NAME, *_OTHER_NAME, *_ALWAYS_SO)
_COMPLETION = part(*_OPTIONS, "prompt")
_INFILL = part(*_OPTIONS, "prompt", "input_prefix", "input_suffix", "input_extra")
_ONLY_OURS = ("n_predict", "n_probs", "id_slot", "response_fields")  # fields that OpenAI's completions don't have
_LINE = "input_line"  # `prompt` of an infill, once more by itself
_MOST_SNIPPETS = 1024
_MOST_FIELDS = 64
_RANDOM_SEEDS = (-1, 2**32 - 1)
_MOST_BIASES = 1024
_NEVER = -100.0  # the bias that `false` stands for


class LlamaCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """Completion as llama-server's clients ask for it. `fields`: paths of the only ones that its end shall have."""

    request: CompletionRequest
    fields: tuple[str, ...] = ()


def is_own(document: JsonObject) -> bool:
    """Say whether a body of `/completions` is llama-server's own: it has a field that OpenAI's does not have."""
    return any(name in document for name in _ONLY_OURS)


def parse_completion(document: JsonObject) -> LlamaCompletion:
    """Parse the document of `POST /completion`.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    refuse_overrides(document)
    body = Fields(document)
    request = openai_requests.parse_completion(freeze_object({**_options(body), "prompt": _prompt(document)}))
    return _asked(body, request, left_out(document, _COMPLETION), insert=False)


def parse_infill(document: JsonObject) -> LlamaCompletion:
    """Parse the document of `POST /infill`: text between `input_prefix` (with `prompt` behind it) and `input_suffix`.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    refuse_overrides(document)
    body = Fields(document)
    before, behind = body.string("input_prefix"), body.string("input_suffix")
    for name, text in (("input_prefix", before), ("input_suffix", behind)):
        if text is None:
            raise bad_field(name, "is missing.")
    line = body.string("prompt") or ""
    fields = {**_options(body), "prompt": f"{before}{line}", "suffix": behind}
    if before and line and not before[-1].isspace():
        fields[_LINE] = line  # words that the joint hides are seen by inspection here
    extra = [thaw(given.document) for given in body.objects("input_extra", _MOST_SNIPPETS)]
    if extra:
        fields["input_extra"] = extra
    request = openai_requests.parse_completion(freeze_object(fields))
    return _asked(body, request, left_out(document, _INFILL), insert=True)


def _asked(body: Fields, request: CompletionRequest, left: tuple[str, ...], *, insert: bool) -> LlamaCompletion:
    request = msgspec.structs.replace(
        request,
        dialect=Dialect.LLAMACPP,
        include_usage=True,
        left_out=left,
        insert=insert,
        control_tokens=not insert,  # apps send conversations that they have rendered themselves
    )
    given = body.items("response_fields", _MOST_FIELDS)
    return LlamaCompletion(request=request, fields=tuple(field for field in given if isinstance(field, str)))


def _options(body: Fields) -> dict[str, Any]:
    fields = {name: thaw(body.document[name]) for name in _SAME_NAME if body.document.get(name) is not None}
    limit = body.integer("n_predict", -2, 2**31 - 1)
    if limit is None:
        limit = body.integer("max_tokens", -2, 2**31 - 1)
    if limit is not None and limit >= 0:  # below: no limit but the window
        fields["max_tokens"] = limit
    probabilities = body.integer("n_probs", 0, 20)
    if probabilities:
        fields["logprobs"] = probabilities
    seed = body.integer("seed", -(2**63), 2**63 - 1)
    if seed is not None and seed not in _RANDOM_SEEDS:
        fields["seed"] = seed
    biases = _biases(body)
    if biases:
        fields["logit_bias"] = biases
    return fields


def _prompt(document: JsonObject) -> Json:
    """Return the prompt: a text or token numbers, or an array of such prompts.

    Raises:
        BadRequest: it is missing, or another one of llama-server's forms.
    """
    prompt = document.get("prompt")
    if isinstance(prompt, tuple) and len(prompt) == 1 and not isinstance(prompt[0], int):
        prompt = prompt[0]
    match prompt:
        case None:
            raise bad_field("prompt", "is missing.")
        case str():
            return prompt
        case tuple() if prompt and all(type(item) is int for item in prompt):
            return prompt
        case tuple() if prompt and all(isinstance(item, str | tuple) for item in prompt):
            return prompt
        case Mapping():
            raise bad_field("prompt", "pictures are not served beside a raw prompt, but at /v1/chat/completions.")
        case _:
            raise bad_field("prompt", "must be a text, an array of token numbers alone, or an array of such prompts.")


def _biases(body: Fields) -> dict[str, Any]:
    """Return the biases by token number or text: an object, or pairs, in which `false` means never.

    Raises:
        BadRequest: they have another form.
    """
    given = body.document.get("logit_bias")
    if given is None or isinstance(given, Mapping):
        return dict(given or {})
    biases: dict[str, Any] = {}
    for pair in body.items("logit_bias", _MOST_BIASES):
        match pair:
            case (int() | str() as token, bias) if not isinstance(token, bool):
                biases[str(token)] = _NEVER if bias is False else bias
            case _:
                raise bad_field("logit_bias", "its items must be pairs of a token and its bias.")
    return biases
