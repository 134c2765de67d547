"""Days, months, quarters and years as people write them, in a time zone."""

import re
from datetime import datetime, timedelta, tzinfo

from gateway.core.errors import BadRequest

_SPAN = re.compile(r"(\d{4})(?:-(?:[Qq]([1-4])|(\d{2})(?:-(\d{2}))?))?")


def span(text: str, zone: tzinfo | None, option: str) -> tuple[float, float]:
    """Return begin and end of `2026-07-01`, `2026-07`, `2026-Q3` or `2026` in Unix seconds; the end is no part of it.

    Raises:
        BadRequest: The text is no such time.
    """
    match = _SPAN.fullmatch(text.strip())
    wrong = BadRequest(f"{option} {text!r} is not a time. Write a day like 2026-07-01, or 2026-07, 2026-Q3 or 2026.")
    if match is None:
        raise wrong
    try:
        year, quarter, month, day = (int(part) if part else 0 for part in match.groups())
        first = datetime(year, quarter * 3 - 2 if quarter else month or 1, day or 1)
        if day:
            last = first + timedelta(days=1)
        else:
            months = 3 if quarter else 1 if month else 12
            count = year * 12 + first.month - 1 + months
            last = datetime(count // 12, count % 12 + 1, 1)
        return first.replace(tzinfo=zone).timestamp(), last.replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError) as error:
        raise wrong from error
