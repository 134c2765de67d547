"""The beginning of a conversation, by which the server is found that is likely to have it in its prefix cache. Pure."""

import hashlib

from gateway.core.request import ChatRequest, GenerateRequest

_CHARACTERS = 4096  # of each text: enough to tell conversations apart, whatever a document's length
_TOKENS = 256


def beginning_of(request: GenerateRequest) -> bytes:
    """Return a digest of what stays the same while a conversation goes on: all up to the first words of the user.

    For a text to continue it is the beginning of its first prompt.
    """
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(request, ChatRequest):
        for message in request.messages:
            digest.update(_bytes(f"{message.role}\0{message.text[:_CHARACTERS]}\0"))
            if message.role == "user":
                break
    else:
        prompt = request.prompts[0] if request.prompts else ""
        digest.update(_bytes(prompt[:_CHARACTERS] if isinstance(prompt, str) else repr(prompt[:_TOKENS])))
    return digest.digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
