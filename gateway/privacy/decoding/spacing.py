"""Values that somebody wrote character by character, or in small pieces with markup between. Pure.

Commas, bars, slashes, tabs and line ends also stand between the numbers of a list: there a word before it has to ask for
an identifier. Spaces, dots and hyphens stand between single letters for no other reason.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from itertools import pairwise
from re import Match

from gateway.privacy.decoding.asked import secret_asked
from gateway.privacy.decoding.budget import Decoding
from gateway.privacy.patterns import late

SPACED = late(r"(?<![^\W_])[^\W_](?:[ .\-_·]{1,2}[^\W_@]|[ ]?[@.][ ]?[^\W_]){7,4096}(?![^\W_])")
SPACED_TRIGGER = r"[0-9A-Za-z](?:[ .\-_@\x80-\xff]{1,4}[0-9A-Za-z]){7}"
APART = late(
    r"(?<![^\W_])[+]?[^\W_](?P<gap>[ ]?[,;/|*:~=+·\t\-•]{1,2}[ ]?|[ \t]{2,4}|\r?\n)[^\W_](?:(?P=gap)[^\W_]){6,64}(?![^\W_])"
    r"|(?:[\[({<'\"`][^\s\[\](){}<>'\"`,][\])}>'\"`][ ,]{0,3}){8,64}"
    r"|(?<![^\W_])[0-9]{1,6}(?:[ ]?[^\x00-\u024f\w\s\u2010-\u2015]{1,6}[ ]?[0-9]{1,6}){2,20}(?![^\W_])"
    r"|(?<![^\W_])[^\W_](?P<sign>[^\x00-\u024f\w\s]{1,3})[^\W_](?:(?P=sign)[^\W_]){4,40}(?![^\W_])"
    r"|(?<![^\n])(?:1[.)]|[-*•])[ ][0-9A-Z]{1,6}\r?\n(?:(?:[2-9][.)]|[-*•])[ ][0-9A-Z]{1,6}(?:\r?\n|\Z)){2,20}"
    r"|(?<![^\n])[!-~](?:\r?\n[!-~]){6,40}(?![^\n\r])"
    r"|(?<![^\W_])[A-Z]{0,2}[0-9]{2,5}(?P<mark>[/_*|~+·]|[ ]?[-/|·][ ]|\.{1,3})[0-9]{2,5}(?:(?P=mark)[0-9]{2,5}){1,6}[A-Z]?(?![^\W_])"
)
APART_TRIGGER = (
    r"[0-9A-Za-z](?:[ ]?(?:·|•|[,;/|*:~=+\t\r\n\-][,;/|*:~=+\t\n\-]?)[ ]?[0-9A-Za-z]){7}|[0-9A-Za-z](?:[ \t]{2,4}[0-9A-Za-z]){7}"
    r"|(?:[\[({<'\"`][^\s][\])}>'\"`][ ,]{0,3}){8}"
    r"|[0-9A-Za-z](?:[ ]?[\x80-\xff]{3,16}[ ]?[0-9A-Za-z]{1,6}){2}|\n(?:1[.)]|[*-]|•) [0-9A-Z]{1,6}\r?\n(?:2[.)]|[*-]|•) [0-9A-Z]{1,6}"
    r"|(?:\n[!-~]\r?){6}\n"
    r"|[0-9]{2}(?:[/_*|~+]|[ ]?(?:·|[-/|])[ ]|\.{1,3})[0-9]{2,5}(?:[/_*|~+]|[ ]?(?:·|[-/|])[ ]|\.{1,3})[0-9]{2}"
)
_GAPS = late(r"[ \-_·]|(?<=[0-9])\.(?=[0-9A-Za-z])")
_EVERY_GAP = late(r"[ .\-_·]")
_ANY_GAP = late(r"[^0-9A-Za-z+@.]+|\.(?=[0-9])|(?<=[0-9A-Za-z])\+")
_ITEM = late(r"(?m)^(?:[0-9][.)]|[-*•])[ ]|[\r\n]+")
_LINES = late(r"[!-~](?:\r?\n[!-~])+")
_BOXES = "[({<'\"`"
_BOXED = late(r"[\[({<'\"`](.)[\])}>'\"`]")
_ASKS = late(
    r"(?i)\b(?:dni|nif|nie|nss|iban|ssn|nhs|nino|cpf|rut|curp|card|tarjeta|cart[aã]o|carte|karte|carta|account|cuenta|konto|conto|"
    r"compte|tel\b|tel[eéè]\w*|phone|m[oó]vil|mobile|handy|llam\w*|call\b|ll[aá]m\w*|whats\w*|n[uú]mero|number|nummer|pass\w*|clave|"
    r"contrase\S*|pin\b|key|token|secret)\b"
)
_ASKS_BEHIND = late(
    r"(?i)\b(?:dni|nif|nie|nss|iban|ssn|nhs|cpf|curp|tel[eé]fono|m[oó]vil|phone|my (?:card|account)|mi (?:tarjeta|cuenta))\b"
)  # fewer words: a list may stand before any sentence
_MORE_ASKS = late(
    r"(?i)\b(?:zap|mensaje al|contact\w*|contato|kontakt|amex|visa|mastercard|wi-?fi|social|wachtwoord|senha|mot de passe|kennwort|bel|ruf)\b"
)
_BEFORE = 60

SPLIT = late(
    r"(?:(?<![^\s<>*`\"'\\])[^\s<>*`\"'\\]{0,24}(?:(?:<!--[^<>]{0,80}-->|</?[A-Za-z][^<>\n]{0,80}>|\*{2,4}|~~){1,4}[^\s<>*`\"'\\]{1,6}){2,64}(?:(?:</?[A-Za-z][^<>\n]{0,80}>|\*\*|`|~~){0,3})"
    r"|[\"'][^\s\"']{1,24}[\"'](?:\s{0,3}[+.&|]{0,2}\s{0,9}[\"'][^\s\"']{1,24}[\"']){1,64}"
    r"|(?<![^\s\\])[^\s\\]{1,40}(?:\\\r?\n[ \t]{0,9}[^\s\\]{1,40}){1,64})"
)
_TAG = r"(?:<[/!A-Za-z][^<>\n]*>|\*\*|~~)"  # without counts, which Hyperscan takes seconds to compile
_TAGS = rf"{_TAG}(?:<[/!A-Za-z][^<>\n]*>|\*|~~)*"
SPLIT_TRIGGER = (
    rf"[0-9A-Za-z]{_TAGS}[0-9A-Za-z@._-]+{_TAGS}[0-9A-Za-z]|{_TAG}[0-9A-Za-z@._-]{_TAGS}[0-9A-Za-z@._-]{_TAG}"
    r"|[0-9][0-9A-Za-z_-]*[\"']\s?[+.&|][+.&|]?\s*[\"'][0-9A-Za-z]|[\"']\s?[+.&|][+.&|]?\s*[\"'][A-Za-z_-]*[0-9]"
    r"|[0-9A-Za-z]\\\r?\n[ \t]*[0-9A-Za-z]"
)
_MARKS = late(r"<!--[^<>]*-->|</?[A-Za-z][^<>\n]*>|\*{2,4}|`|~~|[\"']\s*[+.&|]*\s*[\"']|[\"']|\\\r?\n[ \t]*")
LOOKALIKES = late(
    r"(?<![^\W_])(?=[A-Z]{0,2}[0-9OolI .-]{0,40}?[OolI])[A-Z]{0,2}[0-9OolI](?:[ .-]?[0-9OolI]){6,28}[A-Z]?(?![^\W_])"
)
LOOKALIKES_TRIGGER = r"[0-9][ .-]?[OolI]{1,4}[ .-]?[0-9]|[0-9OolI]{6}[OolI][A-Z\s]|[OolI][0-9][0-9OolI]{5}"
_AS_DIGITS = str.maketrans("OolI", "0011")


def close_up(match: Match[str]) -> str:
    """Return characters that stand apart as one word."""
    return (_GAPS if "@" in match[0] else _EVERY_GAP).sub("", match[0])


def close_list(match: Match[str]) -> str:
    """Return characters of a list, or in brackets, as one word, where a word before asks for it; of groups, with spaces."""
    found = match[0]
    boxed = found[0] in _BOXES
    closed = _closed(match, boxed=boxed)
    before = match.string[max(0, match.start() - _BEFORE) : match.start()]
    asked = _ASKS.search(before) or _MORE_ASKS.search(before)
    asked = asked or _ASKS_BEHIND.search(match.string, match.end(), match.end() + _BEFORE)
    if asked is None and not (boxed and "@" in closed):
        return found
    numbers = [int(letter) for letter in closed if letter.isdecimal()]
    steps = {second - first for first, second in pairwise(numbers)}
    if 2 * len(numbers) > max(2, len(closed)) and len(steps) < 2:
        return found
    return secret_asked(match.string, match.start(), match.end(), closed, apart=True) + (
        "\n" if found[-1] == "\n" else ""
    )


def _closed(match: Match[str], *, boxed: bool) -> str:
    found = match[0]
    if boxed:
        return "".join(_BOXED.findall(found))
    if "\n" in found:
        return _ITEM.sub("", found) if _LINES.fullmatch(found) is None else "".join(found.split())
    if match["sign"]:
        return found.replace(match["sign"], "")
    return _ANY_GAP.sub(" " if match["mark"] else "", found)


def unsplit(match: Match[str], decoding: Decoding) -> str:
    """Return pieces without the markup, or the signs of a program, between them."""
    decoding.spend(0)
    joined = _MARKS.sub("", match[0])
    letters = any(map(str.isdecimal, joined)) or "@" in joined
    return secret_asked(match.string, match.start(), match.end(), joined) if letters and len(joined) >= 8 else match[0]


def undress(match: Match[str], decoding: Decoding) -> str:
    """Return a number in which letters that look like digits stand."""
    decoding.spend(0)
    digits = match[0].translate(_AS_DIGITS)
    if 2 * sum(map(str.isdecimal, match[0])) < len(match[0]):
        return match[0]
    return digits
