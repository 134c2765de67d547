"""Numbers of spreadsheets as they are shown, by their format codes.

A part of ECMA-376, part 1, 18.8.30 and 18.8.31: places of digits, decimals, percent and literals; dates and times.
What is left out (grouping, fractions, exponents, conditions, colours) is shown as the number itself.
"""

import functools
import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

BUILT_IN = {
    "1": "0", "2": "0.00", "3": "#,##0", "4": "#,##0.00", "9": "0%", "10": "0.00%", "14": "dd/mm/yyyy",
    "15": "d-mmm-yy", "16": "d-mmm", "17": "mmm-yy", "18": "h:mm", "19": "h:mm:ss", "20": "h:mm", "21": "h:mm:ss",
    "22": "dd/mm/yyyy h:mm", "37": "#,##0", "38": "#,##0", "39": "#,##0.00", "40": "#,##0.00", "45": "mm:ss",
    "46": "h:mm:ss", "47": "mm:ss",
}  # fmt: skip
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_DATE = re.compile(r"[ymdhs]", re.IGNORECASE)
_TIME = re.compile(r"[hs]", re.IGNORECASE)
_PLACEHOLDERS = re.compile(r"[0#?][0#?,.]*")
_MOST_DIGITS = 40


@functools.lru_cache(maxsize=1024)
def is_date(code: str) -> bool:
    """Say whether a format shows dates or times."""
    return code not in ("", "General") and _DATE.search(_LITERAL.sub("", code.replace("General", ""))) is not None


def shown(value: str, code: str, *, since_1904: bool = False) -> str:
    """Return a number as its format shows it; what is no number, or has a format that isn't known here, as it is."""
    if code in ("", "General", "@"):
        return plain(value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return value
    if is_date(code):
        return _date(float(number), code, since_1904=since_1904)
    return _number(number, code)


def plain(value: str) -> str:
    """Return a number without an exponent: 1.2345678E7 is shown as 12345678."""
    if "E" not in value.upper():
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    return format(number.normalize(), "f") if abs(number.adjusted()) <= _MOST_DIGITS else value


def _date(serial: float, code: str, *, since_1904: bool) -> str:
    """Return a day's number as a date in the order that Spanish and most others write, with its time if it has one."""
    start = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
    try:
        moment = start + timedelta(days=serial)
    except OverflowError:
        return str(serial)
    timed = _TIME.search(_LITERAL.sub("", code)) is not None
    dated = re.search(r"[yd]", _LITERAL.sub("", code), re.IGNORECASE) is not None
    words = [moment.strftime("%d/%m/%Y")] if dated or not timed else []
    return " ".join([*words, moment.strftime("%H:%M:%S")] if timed else words)


def _number(number: Decimal, code: str) -> str:
    sections = _sections(code)
    negative = number < 0 and len(sections) > 1
    section = sections[1] if negative else sections[2] if number == 0 and len(sections) > 2 else sections[0]
    if re.search(r"[eE][+-]|/", _LITERAL.sub("", section)):
        return plain(str(number))
    tokens = _tokens(section)
    pattern = "".join(text for is_digit, text in tokens if is_digit)
    if not pattern:
        return "".join(text for _, text in tokens) or plain(str(number))
    percent = sum(text.count("%") for is_digit, text in tokens if not is_digit)
    number = abs(number) if negative else number
    return _filled(number * Decimal(100) ** percent, tokens, pattern)


def _filled(number: Decimal, tokens: list[tuple[bool, str]], pattern: str) -> str:
    """Return the number's digits in the places of a pattern, with the literals between them."""
    whole, _, decimals = pattern.partition(".")
    scale = len(whole) - len(whole.rstrip(","))
    places = sum(character in "0#?" for character in decimals)
    number = (number / Decimal(1000) ** scale).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    digits, _, after = format(abs(number), "f").partition(".")
    digits = digits.lstrip("0").rjust(whole.count("0"), "0")
    while after.endswith("0") and places > decimals.count("0"):
        after, places = after[:-1], places - 1
    sign = "-" if number < 0 else ""
    runs = [text for is_digit, text in tokens if is_digit]
    if len(runs) == 1:
        number_text = f"{digits}.{after}" if after else digits
        return sign + "".join(number_text if is_digit else text for is_digit, text in tokens)
    return sign + _spread(digits, tokens)


def _spread(digits: str, tokens: list[tuple[bool, str]]) -> str:
    """Return digits spread over several runs of places from the right, as in `000-00-0000`."""
    parts: list[str] = []
    runs_left = sum(is_digit for is_digit, _ in tokens)
    for is_digit, text in reversed(tokens):
        if not is_digit:
            parts.append(text)
            continue
        runs_left -= 1
        count = sum(character in "0#?" for character in text) if runs_left else len(digits)
        parts.append(digits[max(0, len(digits) - count) :] if count else "")
        digits = digits[: max(0, len(digits) - count)]
    return "".join(reversed(parts))


@functools.lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[str, ...]:
    """Return the parts of a format for numbers above, below and at zero."""
    return tuple(re.findall(r'(?:"[^"]*"|\\.|[^;"\\])+', code)[:3]) or ("",)


@functools.lru_cache(maxsize=1024)
def _tokens_of(section: str) -> tuple[tuple[bool, str], ...]:
    tokens: list[tuple[bool, str]] = []
    at = 0
    while at < len(section):
        literal = _LITERAL.match(section, at)
        places = _PLACEHOLDERS.match(section, at)
        if literal is not None:
            text, at = literal.group(), literal.end()
            tokens.append((False, _literal(text)))
        elif places is not None:
            tokens.append((True, places.group()))
            at = places.end()
        else:
            tokens.append((False, section[at]))
            at += 1
    return tuple((is_digit, text) for is_digit, text in tokens if text)


def _tokens(section: str) -> list[tuple[bool, str]]:
    return list(_tokens_of(section))


def _literal(text: str) -> str:
    if text.startswith('"'):
        return text[1:-1]
    if text.startswith("\\"):
        return text[1:]
    if text.startswith("[$"):
        return text[2:-1].partition("-")[0]
    return ""
