"""Numbers with units, as people write them, turned into the plain numbers that facts have."""

import enum
import re
from collections.abc import Mapping
from typing import assert_never


class Unit(enum.StrEnum):
    """The unit in which a number fact counts."""

    COUNT = "count"
    TOKENS = "tokens"
    RATIO = "ratio"
    SECONDS = "seconds"
    USD = "US dollars"
    USD_PER_KWH = "US dollars per kWh"
    CELSIUS = "degrees Celsius"
    WATTS = "watts"
    TOKENS_PER_SECOND = "tokens per second"


_NUMBER = re.compile(r"\s*([$€£]?)\s*(-?\d+(?:\.\d+)?|-?\.\d+)\s*([^\d\s].*)?\Z")
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}
_SCALES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6}
_TIMES = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "minute": 60.0,
          "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0}  # fmt: skip
_EXAMPLES = {
    Unit.COUNT: "12",
    Unit.TOKENS: "6000 or 32k",
    Unit.RATIO: "80 % or 0.8",
    Unit.SECONDS: "4 s, 200 ms or 2 min",
    Unit.USD: "0.50 USD",
    Unit.USD_PER_KWH: "0.30 USD/kWh",
    Unit.CELSIUS: "80 °C",
    Unit.WATTS: "250 W",
    Unit.TOKENS_PER_SECOND: "20 tokens/s",
}


def example(unit: Unit) -> str:
    """Show how a number of this unit may be written."""
    return _EXAMPLES[unit]


def number(value: object, unit: Unit, rates: Mapping[str, float]) -> float:
    """Return the plain number behind `value`.

    `rates` has the US dollars that one unit of each currency is.

    Raises:
        ValueError: The value is no such number; the error's sentence says what was expected.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"a number is expected here, such as {example(unit)}")
    if isinstance(value, str):
        found = _NUMBER.match(value)
        if found is None:
            raise ValueError(f"{value!r} is not a number; write it as {example(unit)}")
        sign, digits, word = found.groups()
        result = _scaled(value, float(digits), _SIGNS.get(sign, ""), (word or "").strip(), unit, rates)
    else:
        result = float(value)
        if unit is Unit.RATIO and result > 1:
            raise ValueError(f"{value!r} is more than all of it; write {result:g} % or {result / 100:g}")
    if result != result or (result < 0 and unit is not Unit.CELSIUS):
        raise ValueError(f"{value!r} can't be; write it as {example(unit)}")
    return result


def _scaled(value: str, digits: float, sign: str, word: str, unit: Unit, rates: Mapping[str, float]) -> float:
    factor: float | None
    match unit:
        case Unit.COUNT:
            factor = _SCALES.get(word)
        case Unit.TOKENS:
            factor = _SCALES.get(word.removesuffix("tokens").removesuffix("token").strip())
        case Unit.RATIO:
            if word not in ("", "%"):
                factor = None
            elif word == "" and digits > 1:
                raise ValueError(f"{value!r} is more than all of it; write {digits:g} %")
            else:
                factor = 0.01 if word else 1.0
        case Unit.SECONDS:
            factor = _TIMES.get(word)
        case Unit.USD:
            return digits * _rate(value, sign or word, rates)
        case Unit.USD_PER_KWH:
            currency, slash, per = word.partition("/")
            if not slash and sign:
                currency, per = "", word or "kWh"
            if slash and per.strip().lower() != "kwh":
                raise ValueError(f"{value!r} has an unknown unit; write it as {example(unit)}")
            return digits * _rate(value, sign or currency.strip(), rates)
        case Unit.CELSIUS:
            factor = 1.0 if word in ("", "°C", "C") else None
        case Unit.WATTS:
            factor = {"": 1.0, "W": 1.0, "kW": 1e3}.get(word)
        case Unit.TOKENS_PER_SECOND:
            factor = 1.0 if word in ("", "tokens/s", "t/s", "tok/s") else None
        case _:
            assert_never(unit)
    if factor is None or sign:
        raise ValueError(f"{value!r} has an unknown unit; write it as {example(unit)}")
    return round(digits * factor, 12)


def _rate(value: str, currency: str, rates: Mapping[str, float]) -> float:
    if currency == "":
        return 1.0
    if currency not in rates:
        known = ", ".join(sorted(rates))
        raise ValueError(
            f"{value!r} is in a currency without a rate (known: {known}); "
            f"add 'rates: {{{currency[:3]}: 1.10}}' to the policy, the US dollars that one of it is"
        )
    return rates[currency]


_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")
_SPAN = re.compile(r"\s*(\d{1,2}:\d{2})\s*(?:-|–|to)\s*(\d{1,2}:\d{2})\s*\Z")


def clock(value: object) -> float:
    """Return the minutes after midnight of a time such as `22:30`.

    Raises:
        ValueError: The value is not a time of day.
    """
    found = _CLOCK.match(value.strip()) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else 9999
    if minutes > 24 * 60:
        raise ValueError(f"{value!r} is not a time of day; write it as 22:30")
    return float(minutes)


def span(value: object) -> tuple[float, float]:
    """Return both ends of a span such as `22:00-06:00`, in minutes after midnight.

    Raises:
        ValueError: The value is not a span of time.
    """
    found = _SPAN.match(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is not a span of time; write it as 22:00-06:00")
    return clock(found[1]), clock(found[2])
