"""A batch's file is read once before its first line is asked, so that mistakes in it cost nothing."""

import asyncio
from collections.abc import AsyncGenerator

from gateway.batches.batch import LineProblem
from gateway.batches.lines import INLINE_BYTES
from gateway.core.errors import BadRequest
from gateway.wire.openai.batches import parse_line

_MOST_LINES = 50_000
_MOST_PROBLEMS = 20


async def checked(lines: AsyncGenerator[bytes, None], endpoint: str) -> tuple[int, tuple[LineProblem, ...]]:
    """Return how many lines there are, and what is wrong with them; not all, where much is wrong.

    Raises:
        BadRequest: The file can't be read.
    """
    problems: list[LineProblem] = []
    names: set[str] = set()
    total = 0
    async for text in lines:
        total += 1
        if total > _MOST_LINES:
            problems.append(LineProblem(code="too_many_requests", message=f"The file has over {_MOST_LINES} lines."))
            break
        asked = (text, endpoint, names, total)
        problem = await asyncio.to_thread(_problem, *asked) if len(text) > INLINE_BYTES else _problem(*asked)
        problems += [problem] if problem is not None else []
        if len(problems) >= _MOST_PROBLEMS:
            break
        await asyncio.sleep(0)
    if not total:
        problems.append(LineProblem(code="empty_file", message="The file has no line."))
    return total, tuple(problems)


def _problem(text: bytes, endpoint: str, names: set[str], number: int) -> LineProblem | None:
    """Return what is wrong with a line; `names` are the ids of those before it, and get its own."""
    try:
        line = parse_line(text, endpoint)
    except BadRequest as error:
        return LineProblem(code=error.code, message=error.message, line=number, param=error.param)
    if line.custom_id in names:
        message = "Another line has this 'custom_id'."
        return LineProblem(code="duplicate_custom_id", message=message, line=number, param="custom_id")
    names.add(line.custom_id)
    return None
