"""What of an Ollama body is in the translated document: whatever else it has, the answer names as left out."""

from gateway.wire.left_out import Roles, part

_OPTIONS = part(
    "seed",
    "top_p",
    "top_k",
    "min_p",
    "temperature",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
    "num_predict",
    "stop",
)
_COMMON = part("model", "stream", "logprobs", "top_logprobs", "format", "keep_alive", options=_OPTIONS)
_CALL = part("id", function=part("name", "arguments"))

_SAID = ("role", "content", "images")
_MESSAGES = Roles(
    user=part(*_SAID),
    system=part(*_SAID),
    assistant=part(*_SAID, "thinking", tool_calls=_CALL),
    tool=part(*_SAID, "tool_name", "name", "tool_call_id"),  # the names say which call it answers
)

CHAT = part(*_COMMON, "tools", options=_OPTIONS, messages=_MESSAGES)
GENERATE = part(*_COMMON, "prompt", "suffix", "system", "images", "raw", options=_OPTIONS)
_EMBEDDED = part("model", "dimensions", "keep_alive", "truncate", options=part())
EMBED = part(*_EMBEDDED, "input", options=part())
EMBED_PROMPT = part(*_EMBEDDED, "prompt", options=part())  # the older field, read where `input` is not there
