"""Telephone numbers as people write them: with a country's code, behind or before a word, or in a telling shape. Pure."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from itertools import pairwise
from re import Match

import phonenumbers

from gateway.privacy.detectors.detector import Detector, digits, measured, near, rx, words
from gateway.privacy.detectors.word_patterns import BehindWord
from gateway.privacy.patterns import late

_NEAR = words(
    r"phone\b|tel[eé]?f(?:ono)?\b|m[oó]vil\b|mobile\b|\bcell\b|\bcel\b|celular\b|\bcall\b|whats|ll[aá]m|contact\b|\bfax|\btlf|\btfno?|\btel\b|\bsms\b|n[uú]mero es|\bfijo\b|"
    r"\bmy number|\bmi n[uú]mero|\bbizum|\bring me|\btext me|\breach (?:me|us)|busca|\bdial\b|marca|t[eé]l[eé]phone\b|\bt[eé]l\b|\bhandy\b|telefone\b|telem[oó]vel\b|cellulare\b|\bgsm\b"
)
_NAMES = (
    r"(?:tele)?phone|tel(?:.{1,2}?fono|.{1,2}?fon|efone|f|ef)?|t.{1,2}?l(?:.{1,2}?phone)?|tlf|tfn?o|tfn|tlm|telm|telem(?:o|ó)vel|m(?:o|ó)vil|m(?:o|ò)bil|mobiel|mobiltelefon|mobilnummer|mobil|mobile|mob|"
    r"fijo|fisso|fixo|fixe|festnetz|celular|cellulare|cell|cel|handy(?:nummer)?|rufnummer|telefonnummer|telefoonnummer|fon|fono|ph|fax|gsm|portable|desk|whatsapp|whats|wsp|wpp|wasap|guasap|zap|sms|bizum"
)
_VERBS = (
    r"ring me|text (?:me|us)|reach (?:me|us)|call(?:ing)? (?:me|us|him|her|them)(?: back)?|answering|messages|registered|dial|ll(?:a|á)m[a-z]{1,8}|escr(?:i|í)b[a-z]{1,8}|"
    r"(?:r?appele[rz]|appelle)(?:[ -](?:moi|nous|le|la))?|joindre|joignable|ruf(?:en)?(?: sie)?(?: mich| uns)?|rufe? an|anrufen|erreichbar|erreichen|chiam[a-z]{1,8}|lig(?:ue|a|ar|uem)|truc[a-z']{1,6}|truqueu|bel|bellen|"
    r"(?:my|mi|mon|meu|mein[e]?|mio|meva|meu|mijn|contact|contacto|contato|kontakt) (?:number|n(?:u|ú)mero|num(?:e|é)ro|numero|nummer|no\.?|nr\.?)"
)
_LINK = r"(?:\s(?:number|nummer|n(?:u|ú)mero|num(?:e|é)ro|numero|no\.?|nr\.?|n[º°]|personal|privado|priv(?:e|é)|pro|work|home|casa|is|es|est|c['’]est|ist|é|è|lautet|es el|es la|at|on|to|al?|au|en el|el|le|la|il|o|no|para|mim|me|mich|moi|unter|op|:))"
_VALUE = r"(?P<value>\+?\(?[0-9](?:[ ()./-]{0,3}[0-9]){6,16})(?![0-9%€$]|[.,][0-9]|[/-][0-9])"
_DATE = late(
    r"(?:19|20)[0-9]{2}[ ./-][0-9]{1,2}[ ./-][0-9]{1,2}\b|[0-9]{1,2}[ ./-][0-9]{1,2}[ ./-](?:19|20)[0-9]{2}\b|(?:19|20)[0-9]{2} ?- ?(?:19|20)[0-9]{2}\Z"
)
_TELLING = late(
    r"[679][0-9]{2}([ -])(?:[0-9]{3}\1[0-9]{3}|[0-9]{2}\1[0-9]{2}\1[0-9]{2})|\([0-9]{3}\) ?[0-9]{3}-[0-9]{4}|\(0?[1-9][0-9]\) ?9?[0-9]{4}[ -][0-9]{4}"
)  # a grouped Spanish number, a US one, and a Brazilian or Australian one, with their areas in brackets
_FRENCH = late(r"0[67](?:([ .-])[0-9]{2})(?:\1[0-9]{2}){3}")
_HIGHEST_BALL = 49  # of a lottery, which is written like a French mobile
_REGIONS = ("ES", "US", "GB")
_OLD_MEXICAN = 13  # digits
_DECIMAL = late(r"\+?[0-9]+[.,][0-9]{1,3}")
_POSSIBLE = phonenumbers.ValidationResult.IS_POSSIBLE


def _international(match: Match[str]) -> bool:
    """Tell whether it has the code of a country, and a length that the country gives.

    Numbers of stories and manuals are in no plan; with a plus and in groups they count all the same.
    """
    text = match["value"].replace("(0)", "")
    number = digits(text)
    if not _plausible(match, number):
        return False
    plus = text.lstrip("(").startswith("+")
    if plus and len(number) == _OLD_MEXICAN and number.startswith("521"):
        number = "52" + number[3:]  # a 1 stood before mobile numbers until 2019
    try:
        parsed = phonenumbers.parse("+" + (number if plus else number[2:]))
    except phonenumbers.NumberParseException:
        return False
    if phonenumbers.is_valid_number(parsed):
        return True
    return plus and len(text) > len(number) + 1 and phonenumbers.is_possible_number_with_reason(parsed) == _POSSIBLE


def _plausible(match: Match[str], number: str) -> bool:
    value = match["value"]
    other = _DATE.match(value) is not None or _DECIMAL.fullmatch(value) is not None or measured(match)
    return 7 <= len(number) <= _MOST and len(set(number)) > 2 and not other


def _national(match: Match[str]) -> bool:
    """Tell whether a number without a code is one by its shape, or beside a word and in a plan."""
    text = match["value"]
    number = digits(text)
    if not _LEAST <= len(number) <= _MOST:
        return False
    telling = _telling(text, number)
    if (not telling and not near(match, _NEAR)) or _counts(match):
        return False
    if _CODE.search(match.string, max(0, match.start() - _LONGEST_CODE), match.start()) or not _plausible(
        match, number
    ):
        return False
    if telling and (text.startswith("(") or number[0] == "0"):
        return True
    return _valid(text) or (not telling and _AMERICAN.fullmatch(text) is not None)


def _counts(match: Match[str]) -> bool:
    """Tell whether it is a part of a row that goes up or down by equal steps, as a scale does."""
    before = _NUMBERS_BEFORE.search(match.string, max(0, match.start() - 24), match.start())
    numbers = [int(one) for one in _DIGITS.findall((before[0] if before is not None else "") + match["value"])]
    return before is not None and len({second - first for first, second in pairwise(numbers)}) == 1


_NUMBERS_BEFORE = late(r"(?:(?<![\w.,])[0-9]{1,5} ){1,4}\Z")
_DIGITS = late(r"[0-9]+")
_AMERICAN = late(r"\(?[2-9][0-9]{2}\)?[ .-]{1,2}[0-9]{3}[ .-][0-9]{4}")  # also the 555 of stories
_MOST = 15
_CODE = late(r"\+[0-9]{1,3}\)?[ .-]{1,2}\Z")
_LONGEST_CODE = 7
_LEAST = 9  # digits of a number that no word stands right before


def _telling(text: str, number: str) -> bool:
    """Tell whether the shape alone says telephone."""
    if _FRENCH.fullmatch(text) is not None:
        return any(int(number[at : at + 2]) > _HIGHEST_BALL for at in range(2, 10, 2))
    return _TELLING.fullmatch(text) is not None


def _valid(text: str) -> bool:
    for region in _REGIONS:
        try:
            parsed = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return True
    return False


def _named(match: Match[str]) -> bool:
    return _plausible(match, digits(match["value"]))


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="phone_international",
        category="contact.phone",
        pattern=rx(
            r"(?<![\w+.-])(?P<value>\(?(?:\+|00)[1-9][0-9]{0,2}\)?(?:[ ()./-]{0,3}[0-9]){5,14})(?![\w%€$]|[.,][0-9])"
        ),
        source="ITU-T E.164; numbering plans by libphonenumber",
        check=_international,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="phone",
        category="contact.phone",
        pattern=rx(
            r"(?<![\w./=#$€£+-])(?<![0-9],)(?P<value>(?:\([0-9]{1,4}\)[\s.-]{0,2})?[0-9]{2,5}(?:[ .-]{0,2}[0-9]{2,5}){1,4})(?![\w%€$]|[.,/-][0-9])"
        ),
        source="numbering plans by libphonenumber, beside a word; shapes that only telephones have",
        check=_national,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="phone_marked",
        category="contact.phone",
        pattern=rx(
            r"(?:(?<=[/=#])|(?<=[0-9],))(?P<value>\+[0-9]{1,3}[ .-]?[0-9]{2,5}(?:[ .-]?[0-9]{2,5}){1,4}|[679][0-9]{2} (?:[0-9]{3} [0-9]{3}|[0-9]{2} [0-9]{2} [0-9]{2}))(?![\w%€$]|[.,/-][0-9]| [0-9])"
        ),
        source="ITU-T E.164; numbering plans by libphonenumber; behind a mark, as in a row of a file or an address",
        check=lambda match: _international(match) if match["value"].startswith("+") else _national(match),
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="phone_named",
        category="contact.phone",
        pattern=BehindWord(
            f"{_NAMES}|{_VERBS}", rf"(?i:{_LINK}{{0,3}})[\"']?\s{{0,2}}[:.#=]{{0,2}}[\"']?\s{{0,3}}{_VALUE}"
        ),
        proposal=r"[0-9](?:[ ()./-]{0,3}[0-9]){6}",  # alone, its words take Hyperscan fifty times as long
        source="ITU-T E.164 lengths, behind a word for telephone in eight languages",
        check=_named,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="phone_lettered",
        category="contact.phone",
        pattern=rx(rf"(?m)(?:^|[\s|,;(])(?:[TMPF]|Tel|Mob|Cel)\s?[:.]\s?{_VALUE}"),
        source="ITU-T E.164 lengths, behind a letter as on a card or below a letter",
        check=lambda match: _named(match) and len(digits(match["value"])) >= _LEAST,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="phone_kind",
        category="contact.phone",
        pattern=rx(
            r"(?i)(?<![\w.,-])(?P<value>\+?\(?[0-9](?:[ ()./-]{0,3}[0-9]){6,16})[ ,(-]{1,3}(?:office|fax|mobile|cell|home phone|m(?:o|ó)vil|casa|oficina|ll(?:a|á)mame|call me|whatsapp|wsp|"
            r"(?:is|es|est|ist|c['’]est|(?:é|è)) (?:my|mi|mon|meu|o meu|mein|meine|il mio|el meu) (?:phone|number|cell|mobile|cel|celular|m(?:o|ó)vil|n(?:u|ú)mero|tel.{0,2}fono|t.{1,2}l|portable|num.{1,2}ro|nummer|handynummer|telem.{1,2}vel|numero))\b"
        ),
        source="ITU-T E.164 lengths, before a word for its kind",
        check=_named,
        confidence=0.7,
        joins=False,
    ),
)
