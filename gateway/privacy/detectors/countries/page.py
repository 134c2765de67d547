"""The page of the numbers of all countries: `python -m gateway.privacy.detectors.countries.page`."""

import sys

from gateway.privacy.detectors.countries.number import Number, title
from gateway.privacy.detectors.countries.tables import NUMBERS

_HEAD = """# Numbers of people, firms and accounts, by country

Made from the code by `python -m gateway.privacy.detectors.countries.page`; a test keeps it current. A number counts
where one of its words stands near it and its check digits are right (python-stdnum). *Before*: the word has to stand
right before the number or in brackets behind it, because the number has no check digit or the word means other things
as well. *Alone*: written in its usual form, it counts without a word. Words are found in any case, and short ones with
dots (`C.P.F.`) too; those with a `!` only in capitals or before a sign (`pan: …`).

What has a detector of its own (Spanish numbers, US social security, NINO, NHS, passports, cards, IBAN) is on
[the page of detectors](../gateway/privacy/DETECTORS.md). Countries are in ISO 3166-1.

| country | number | category | words | counts |
|---|---|---|---|---|
"""
_OTHER = {"bic": "all", "all": "all"}


def page() -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(f"{line}\n" for line in sorted(map(_line, NUMBERS)))


def _line(number: Number) -> str:
    words = ", ".join(number.words.split("|"))
    counts = " · ".join([*(["before"] if number.led else []), *(["alone"] if number.alone else [])]) or "near"
    return f"| {_country(number)} | {title(number)} | `{number.category}` | {words} | {counts} |"


def _country(number: Number) -> str:
    code = number.module.partition(".")[0].rstrip("_")
    return _OTHER.get(code, code.upper())


if __name__ == "__main__":
    sys.stdout.write(page())
