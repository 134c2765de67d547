"""Understand the words with which servers say why an answer ended. Pure."""

from collections.abc import Mapping

from gateway.core.delta import FinishReason

# Without case, blanks and signs: servers write `MAX_TOKENS`, `max_tokens`, `maxTokens` and `FinishReason.MAX_TOKENS`.
_PREFIX = "finishreason"
_NOT_YET = frozenset({"", "null", "none", "unspecified", "false"})
_LENGTH = frozenset(
    {
        "length",
        "maxtokens",
        "maxlength",
        "maxoutputtokens",
        "maxnewtokens",
        "maxcompletiontokens",
        "modellength",
        "tokenlimit",
        "outputlimit",
        "contextlength",
        "contextwindow",
        "contextlengthexceeded",
        "modelcontextwindowexceeded",
        "errorlimit",
    }
)
_TOOL_CALLS = frozenset({"toolcalls", "toolcall", "tooluse", "functioncall", "functioncalls"})
_FILTERED = frozenset(
    {
        "contentfilter",
        "contentfiltered",
        "filtered",
        "safety",
        "refusal",
        "moderation",
        "sensitive",
        "recitation",
        "blocklist",
        "language",
        "prohibitedcontent",
        "imagesafety",
        "spii",
        "errortoxic",
        "guardrailintervened",
    }
)
# The server itself says that this is not the whole answer.
_BROKEN_OFF = frozenset(
    {
        "error",
        "errors",
        "abort",
        "aborted",
        "cancel",
        "cancelled",
        "canceled",
        "usercancel",
        "interrupted",
        "timeout",
        "networkerror",
        "systemerror",
        "servererror",
        "internalerror",
        "engineerror",
        "failed",
        "failure",
        "insufficientsystemresource",
        "malformedfunctioncall",
        "unload",
    }
)


def finish_reason(given: object) -> FinishReason | None:
    """Return the reason that a server's word means; None where the word says that the answer goes on.

    A word that nobody knows means that the answer ended, which is `stop`. Objects are asked for their `type`.

    Raises:
        ValueError: The word says that the answer was broken off.
    """
    if given is None or given == "stop":  # nearly all
        return None if given is None else FinishReason.STOP
    if isinstance(given, Mapping):
        given = given.get("type") or given.get("reason")
    if not given:
        return None
    word = "".join(filter(str.isalnum, str(given).lower())).removeprefix(_PREFIX)
    if word in _NOT_YET:
        return None
    if word in _BROKEN_OFF:
        raise ValueError(word)
    if word in _LENGTH:
        return FinishReason.LENGTH
    if word in _TOOL_CALLS:
        return FinishReason.TOOL_CALLS
    return FinishReason.CONTENT_FILTER if word in _FILTERED else FinishReason.STOP
