"""llama-server's work on texts without the model: parse its requests, encode its answers. Pure."""

from typing import Any

import msgspec

from gateway.core.delta import Tokenized
from gateway.core.document import JsonObject, freeze_object
from gateway.core.request import Dialect, TextWork, TokenizeRequest
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.encoding import encode_json
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.openai import requests as openai_requests

_MOST_TOKENS = 1_048_576
_LONGEST_TEXT = 4_194_304  # characters: more than any window holds, and little enough that others needn't wait
_LARGEST_TOKEN = 2**31 - 1


def parse_tokenize(document: JsonObject) -> tuple[TokenizeRequest, bool]:
    """Parse the document of `POST /tokenize`; True: each token is wanted with its text.

    Raises:
        BadRequest: a field has the wrong type, or the text is too long.
    """
    refuse_overrides(document)
    body = Fields(document)
    text, model = body.string("content", longest=_LONGEST_TEXT) or "", _model(body)
    pieces = body.boolean("with_pieces")
    parse_special = document.get("parse_special") is None or body.boolean("parse_special")
    request = TokenizeRequest(
        dialect=Dialect.LLAMACPP,
        model=model,
        document=document,
        work=TextWork.TOKENIZE,
        text=text,
        add_special=body.boolean("add_special"),
        control_tokens=parse_special,
        pieces=pieces,
    )
    return request, pieces


def parse_detokenize(document: JsonObject) -> TokenizeRequest:
    """Parse the document of `POST /detokenize`.

    Raises:
        BadRequest: a field is missing or has the wrong type.
    """
    refuse_overrides(document)
    body = Fields(document)
    ids: list[int] = []
    for item in body.items("tokens", _MOST_TOKENS):
        if type(item) is not int or not 0 <= item <= _LARGEST_TOKEN:
            raise bad_field("tokens", "must have token numbers only.")
        ids.append(item)
    # As a prompt's numbers: inspection knows that it can't read them.
    inspected = freeze_object({**{name: value for name, value in document.items() if name != "tokens"}, "input": ids})
    return TokenizeRequest(
        dialect=Dialect.LLAMACPP, model=_model(body), document=inspected, work=TextWork.DETOKENIZE, ids=tuple(ids)
    )


def parse_template(document: JsonObject) -> TokenizeRequest:
    """Parse the document of `POST /apply-template`: a chat whose prompt is wanted.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    chat = msgspec.structs.replace(openai_requests.parse_chat(document), dialect=Dialect.LLAMACPP)
    return TokenizeRequest(
        dialect=Dialect.LLAMACPP,
        model=chat.model,
        document=chat.document,
        media=chat.media,
        work=TextWork.TEMPLATE,
        chat=chat,
    )


def tokens_body(found: Tokenized, *, pieces: bool) -> bytes:
    """Encode the answer of `/tokenize`; a piece that is no whole text stands as its bytes."""
    if not pieces:
        return encode_json({"tokens": found.ids})
    tokens = [{"id": token, "piece": _piece(piece)} for token, piece in zip(found.ids, found.pieces, strict=True)]
    return encode_json({"tokens": tokens})


def content_body(found: Tokenized) -> bytes:
    """Encode the answer of `/detokenize`."""
    return encode_json({"content": found.text})


def prompt_body(found: Tokenized) -> bytes:
    """Encode the answer of `/apply-template`."""
    return encode_json({"prompt": found.text})


def _piece(piece: bytes) -> Any:
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return list(piece)


def _model(body: Fields) -> str:
    model = body.required_string("model", longest=256)
    if not model.isprintable():
        raise bad_field("model", "has control characters.")
    return model
