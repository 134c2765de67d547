"""A document that the gateway itself has changed, read as a request of the same kind as before. Pure."""

import msgspec

from gateway.core.document import JsonObject
from gateway.core.errors import BadRequest
from gateway.core.request import ChatRequest, GenerateRequest, ModerationRequest, Request
from gateway.wire.openai import requests as openai_requests

_OF_THE_DOCUMENT = frozenset({"document", "media"})


def reread(original: GenerateRequest, document: JsonObject) -> GenerateRequest | None:
    """Return a changed document as a request with the original's circumstances; None: it is no request any more."""
    try:
        if isinstance(original, ChatRequest):
            chat = msgspec.structs.replace(openai_requests.parse_chat(document), thinking=original.thinking)
            request: GenerateRequest = chat
            if isinstance(original, ModerationRequest):
                request = ModerationRequest(**{name: getattr(chat, name) for name in chat.__struct_fields__})
        else:
            request = msgspec.structs.replace(
                openai_requests.parse_completion(document),
                insert=original.insert,
                control_tokens=original.control_tokens,
            )
    except BadRequest:
        return None
    kept = {name: getattr(original, name) for name in Request.__struct_fields__ if name not in _OF_THE_DOCUMENT}
    return msgspec.structs.replace(request, **kept)
