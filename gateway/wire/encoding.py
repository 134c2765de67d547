"""Encode values as JSON, in the same way for the answers of every dialect. Pure."""

from math import isfinite
from typing import Any

import msgspec

from gateway.core.errors import TargetProtocolError

encode_json = msgspec.json.Encoder().encode


_FLOOR = -9999.0  # OpenAI's value for "as good as impossible"; JSON has no infinity


def finite(logprob: float) -> float:
    """Return the log-probability as a number that JSON can carry."""
    return max(logprob, _FLOOR) if isfinite(logprob) else _FLOOR


def incomplete() -> TargetProtocolError:
    """Return the error for an answer that stopped before its end."""
    return TargetProtocolError("The target's answer ended before it was complete.", code="incomplete_answer")


def tool_input(arguments: str) -> dict[str, Any]:
    """Return a tool call's arguments as an object.

    Raises:
        TargetProtocolError: the model wrote something else.
    """
    if not arguments.strip():
        return {}
    try:
        return msgspec.json.decode(arguments.encode(), type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise TargetProtocolError("The model wrote a tool call that is not valid JSON.") from error
