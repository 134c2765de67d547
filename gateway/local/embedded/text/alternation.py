"""Put turns as templates want them that know one system message, and then user and assistant by turns. Pure.

Nothing is lost and nothing changes its place: what a system says later becomes part of the user's turn there, and
neighbouring turns of one role are joined.
"""

from collections.abc import Sequence

Turn = dict[str, object]
_JOIN = "\n\n"


def alternating(turns: Sequence[Turn]) -> list[Turn]:
    """Return the turns with at most one system's, at the beginning, then the user's and the assistant's by turns."""
    result: list[Turn] = []
    for turn in turns:
        leading = all(one["role"] == "system" for one in result)
        now = turn if turn["role"] != "system" or leading else turn | {"role": "user"}
        last = result[-1] if result else None
        if last is not None and last["role"] == now["role"] and now["role"] != "tool" and not last.get("tool_calls"):
            result[-1] = _joined(last, now)
        else:
            if now["role"] == "assistant" and leading:
                result.append({"role": "user", "content": ""})  # an answer needs a question
            result.append(now)
    return result


def shows_systems(prompt: str, turns: Sequence[Turn]) -> bool:
    """Say whether a rendered prompt has what a system says behind the first turn: some templates pass over it."""
    return all(str(turn["content"] or "").strip() in prompt for turn in turns[1:] if turn["role"] == "system")


def _joined(first: Turn, second: Turn) -> Turn:
    texts = [str(one["content"]) for one in (first, second) if one.get("content")]
    return {**first, **second, "content": _JOIN.join(texts)}
