"""llama-server's own embeddings: texts under `content`, an array of vectors back. Pure."""

from collections.abc import Mapping

import msgspec

from gateway.core.delta import Embeddings
from gateway.core.document import Json, JsonObject, freeze_object
from gateway.core.request import Dialect, EmbeddingsRequest
from gateway.wire.body_fields import bad_field
from gateway.wire.encoding import encode_json
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.left_out import left_out, part
from gateway.wire.openai import requests as openai_requests

_BODY = part("model", "content", "user")


def is_own(document: JsonObject) -> bool:
    """Say whether a body of `/embeddings` is llama-server's own, as Frigate sends it: OpenAI's has `input`."""
    return document.get("content") is not None and document.get("input") is None


def parse_embeddings(document: JsonObject) -> EmbeddingsRequest:
    """Parse the document of `POST /embedding`: `content` is a text, token numbers, or an array of these.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    refuse_overrides(document)
    content = document.get("content")
    if isinstance(content, tuple):
        content = tuple(_text(item, number) for number, item in enumerate(content))
    elif isinstance(content, Mapping):
        content = _text(content, 0)
    fields = {"model": document.get("model"), "input": content}
    if document.get("user") is not None:
        fields["user"] = document["user"]
    request = openai_requests.parse_embeddings(freeze_object(fields))
    return msgspec.structs.replace(request, dialect=Dialect.LLAMACPP, left_out=left_out(document, _BODY))


def embeddings_body(embeddings: Embeddings) -> bytes:
    """Encode the answer: each text's vector is the only one of its list, for the model pools them."""
    rows = [{"index": index, "embedding": [vector]} for index, vector in enumerate(embeddings.vectors)]
    return encode_json(rows)


def _text(item: Json, number: int) -> Json:
    """Return the text of an item, also of one in the form for pictures (`prompt_string`).

    Raises:
        BadRequest: there is a picture in it.
    """
    if not isinstance(item, Mapping):
        return item
    place = f"content[{number}]"
    if item.get("multimodal_data"):
        raise bad_field(f"{place}.multimodal_data", "pictures are not embedded here: send texts.")
    text = item.get("prompt_string")
    if not isinstance(text, str):
        raise bad_field(f"{place}.prompt_string", "must be a string.")
    return text
