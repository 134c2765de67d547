"""A plan as a picture (SVG): expected speed of each card, and what has been paid after each month."""

import math
from html import escape

from gateway.cli.plan.report import Plan, PlannedCard
from gateway.cli.plan.table import short
from gateway.cli.plan.words import say

_WIDTH, _LEFT, _RIGHT = 860.0, 190.0, 40.0
_COLOURS = ("#1f6feb", "#c2590a", "#1f7a43", "#8e4ec6", "#c2255c", "#0b7285", "#6b5900", "#57606a")
_MONTHS = 36
_STYLE = (
    "text{font:14px system-ui,-apple-system,Segoe UI,Roboto,sans-serif;fill:#1c2128}"
    ".h{font-size:18px;font-weight:600}.s{font-size:12px;fill:#57606a}.e{text-anchor:end}.m{text-anchor:middle}"
)


def drawn(plan: Plan) -> str:
    """Return the picture."""
    parts, bottom = _speeds(plan, 84.0)
    if any(one.electricity_month is not None for one in plan.cards) and any(c.month is not None for c in plan.clouds):
        more, bottom = _payments(plan, bottom + 48)
        parts += more
    wanted = plan.wanted
    tokens = wanted.load.prompt + wanted.load.answer
    title = say("{model}: {count} million tokens a day", model=wanted.subject.title, count=f"{tokens / 1e6:g}")
    note = say("Expected from data sheets of {date}, not measured: aduana plan", date=plan.cards_date)
    height = bottom + 44
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="{_WIDTH:.0f}" '
        f'height="{height:.0f}" role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>'
        f"{_text(24, 36, title, 'h')}{''.join(parts)}{_text(24, height - 18, note, 's')}</svg>\n"
    )


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'


def _speeds(plan: Plan, top: float) -> tuple[list[str], float]:
    """Draw a bar for each card, with a line from the least to the most that is plausible."""
    highest = max(one.speed.answer.high for one in plan.cards)
    scale = (_WIDTH - _LEFT - _RIGHT - 150) / highest
    parts = [_text(24, top - 14, say("Answer tokens a second, one request at a time"))]
    y = top
    for place, one in enumerate(plan.cards):
        pace, colour = one.speed.answer, _COLOURS[place % len(_COLOURS)]
        parts.append(_text(_LEFT - 10, y + 21, one.place.title, "e"))
        if one.fit.fits:
            middle = y + 16
            low, end, high = (_LEFT + value * scale for value in (pace.low, pace.expected, pace.high))
            parts.append(
                f'<rect x="{_LEFT:.0f}" y="{y + 4:.0f}" width="{end - _LEFT:.1f}" height="24" fill="{colour}"/>'
            )
            parts.append(
                f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 6}v12M{high:.1f} {middle - 6}v12" '
                'stroke="#1c2128" fill="none"/>'
            )
            parts.append(_text(high + 10, y + 21, f"{pace.expected:,.0f} ({pace.low:,.0f}–{pace.high:,.0f})"))
        else:
            parts.append(_text(_LEFT, y + 21, say("does not fit ({size} GB)", size=f"{one.fit.need / 1e9:.0f}"), "s"))
        y += 36
    return parts, y


def _payments(plan: Plan, top: float) -> tuple[list[str], float]:
    """Draw what has been paid after each month: hardware and electricity, or a cloud.

    The scale is that of what is paid at home, three times over, so that it shows where lines cross: a line of a dear
    cloud leaves at the top.
    """
    own = [_own(one, place) for place, one in enumerate(plan.cards) if one.fit.fits]
    clouds = [
        (short(cloud.model), _COLOURS[(len(plan.cards) + place) % len(_COLOURS)], 0.0, cloud.month)
        for place, cloud in enumerate(plan.clouds)
        if cloud.month is not None
    ]
    highest = max((start + month * _MONTHS for _, _, start, month in own), default=0.0)
    dearest = max((month * _MONTHS for _, _, _, month in clouds), default=0.0)
    most = _round_up(min(dearest, 3 * highest) if highest and dearest > highest else max(highest, dearest, 1.0))
    height, width = 260.0, _WIDTH - _LEFT - 200.0
    base = top + height
    parts = [_text(24, top - 14, say("Paid after so many months ({currency})", currency=plan.wanted.currency))]
    for step in range(5):
        y = base - height * step / 4
        parts.append(f'<path d="M{_LEFT} {y:.1f}h{width}" stroke="#d0d7de" fill="none"/>')
        parts.append(_text(_LEFT - 10, y + 5, f"{most * step / 4:,.0f}", "s e"))
    for year in range(0, _MONTHS + 1, 12):
        parts.append(_text(_LEFT + width * year / _MONTHS, base + 20, f"{year}", "s m"))
    ends = []
    for name, colour, start, month in (*own, *clouds):
        last: float = min(_MONTHS, (most - start) / month if month else _MONTHS)
        x, y = _LEFT + width * last / _MONTHS, base - height * (start + month * last) / most
        dash = "" if (name, colour, start, month) in own else ' stroke-dasharray="6 4"'
        parts.append(
            f'<path d="M{_LEFT} {base - height * start / most:.1f}L{x:.1f} {y:.1f}" stroke="{colour}" '
            f'stroke-width="3" fill="none"{dash}/>'
        )
        if last == _MONTHS:
            ends.append((y, name, colour))
        else:
            parts.append(f'<text x="{x + 10:.1f}" y="{y + 18:.1f}" style="fill:{colour}">{escape(name)}</text>')
    parts += _labels(ends, _LEFT + width + 12, base)
    return parts, base + 24


def _round_up(value: float) -> float:
    """Return the next number that four steps divide well."""
    ten: float = 10.0 ** math.floor(math.log10(value))
    return next(ten * step for step in (1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0) if ten * step >= value)


def _own(one: PlannedCard, place: int) -> tuple[str, str, float, float]:
    return one.place.title, _COLOURS[place % len(_COLOURS)], one.hardware or 0.0, one.electricity_month or 0.0


def _labels(ends: list[tuple[float, str, str]], x: float, base: float) -> list[str]:
    """Write a name at the end of each line, moved apart, upwards from the axis, where lines end together."""
    parts, below = [], base + 22
    for y, name, colour in sorted(ends, reverse=True):
        below = min(y + 5, below - 18)
        parts.append(f'<text x="{x:.1f}" y="{below:.1f}" style="fill:{colour}">{escape(name)}</text>')
    return parts
