"""Money and mail: cards, accounts, wallets, addresses of e-mail. Pure."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from functools import cache
from re import Match

from stdnum import bitcoin, iban, numdb
from stdnum.es import ccc

from gateway.privacy.detectors.credits import is_credited
from gateway.privacy.detectors.detector import BEGIN, END, Detector, compact, digits, near, rx, words
from gateway.privacy.patterns import late

_ISSUED = late(
    r"4[0-9]{12}|4[0-9]{15}|4[0-9]{18}|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|3(?:0|6|8|9)[0-9]{12}(?:[0-9]{2})?|35[0-9]{14}|(?:2131|1800)[0-9]{11}|"
    r"6[0-9]{15}(?:[0-9]{1,3})?|5[06-8][0-9]{14}(?:[0-9]{1,3})?|6[237][0-9]{11,14}"
)  # lengths that the schemes issue: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Maestro
_EXPIRY = r"(?:0[1-9]|1[0-2])\s?[/-]?\s?(?:20)?[2-4][0-9]"
_UNTIL = r"[ -](?:(?:0[1-9]|1[0-2])[2-4][0-9]|20[2-4][0-9])(?![0-9]|[ -][0-9]{3})"  # a card's year, or month and year
_AUTOMATIC = late(
    r"(?i)(?:no-?_?reply|do-?not-?reply|no-?responder|mailer-daemon|postmaster|hostmaster|webmaster|abuse|alerts?|notifications?)@"
)  # RFC 2142, and programs that send: nobody's address
_AUTHORITY = late(r"//[^\s/?#]*\Z")
_TEST_MAIL = late(r"(?i)@(?:example|test)\.(?:com|org|net|es)$|@[\w.-]*\.(?:example|invalid|test|local)$|@localhost")


def _card(match: Match[str]) -> bool:
    number = digits(match["value"])
    return _ISSUED.fullmatch(number) is not None and len(set(number)) > 1 and _luhn(number)


def _luhn(number: str) -> bool:
    """Tell whether the check digit of ISO/IEC 7812 is right.

    Written here, because pages of numbers are looked at digit by digit.
    """
    return (sum(map(int, number[-1::-2])) + sum(map("0516273849".index, number[-2::-2]))) % 10 == 0


def _iban(match: Match[str]) -> bool:
    """Tell whether it is an account number, also with a word behind it: every country has one length."""
    value = compact(match).upper()
    country = value[:2]
    length = _iban_length(country)
    return (
        15 <= length <= len(value)
        and _modulo(value[:length])
        and iban.is_valid(value[:length], check_country=country not in _BY_BANK)
    )


_BY_BANK = frozenset({"BE"})  # where the library refuses accounts of banks that its list does not have


def _iban_extent(match: Match[str]) -> tuple[int, int]:
    """Return where the account number stands, without a word that follows it and could belong to a longer one."""
    start, end = match.span("value")
    left = _iban_length(match["value"][:2].upper())
    for place in range(start, end):
        left -= match.string[place].isalnum()
        if not left:
            return start, place + 1
    return start, end


def _modulo(value: str) -> bool:
    """Tell whether the check of ISO 7064, modulo 97, is right.

    Nearly everything fails here, before the library looks at the country's rules.
    """
    return int((value[4:] + value[:4]).translate(_IN_DIGITS)) % 97 == 1


_IN_DIGITS = {ord(letter): str(number) for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)}


@cache
def _iban_length(country: str) -> int:
    """Return the length of the country's account numbers, 0 where it has none.

    The list is SWIFT's registry in `stdnum`.
    """
    parts = numdb.get("iban").info(country)
    structure = parts[0][1].get("bban", "") if parts else ""
    return sum(map(int, re.findall(r"([0-9]+)!?[nac]", structure))) + 4 if structure else 0


def _card_code(match: Match[str]) -> bool:
    """Tell whether it is a card's: not the beginning of a longer number, nor the help line 188 of Brazil's CVV."""
    return match["value"] != "188" or not near(match, _HELP_LINES)


_HELP_LINES = words(r"\b(?:samu|bombeiros|disque|pol[ií]cia|emerg[eê]ncia|suic[ií]dio|centro de valoriza)\b")


def _ccc(match: Match[str]) -> bool:
    number = digits(match["value"])
    return len(set(number)) > 2 and ccc.is_valid(number)


def _email(match: Match[str]) -> bool:
    """Tell whether it is somebody's: no user with a password in an address, no address that only programs use."""
    value = match["value"]
    if _TEST_MAIL.search(value) or _AUTOMATIC.match(value) or value.startswith("git@"):
        return False
    if _AUTHORITY.search(match.string, max(0, match.start() - 200), match.start()) is not None:
        return False
    return not is_credited(match.string, match.start())


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="card",
        category="financial.card",
        pattern=rx(
            r"(?<![0-9A-Za-z])(?<![0-9][.-])(?P<value>[0-9]{4}([ .-]?)[0-9]{4}\2[0-9]{4}\2[0-9]{1,7}|[0-9]{4}[ .-]?[0-9]{6}[ .-]?[0-9]{4,5})(?![0-9A-Za-z]|[.-][0-9])"
        ),
        source="ISO/IEC 7812, Luhn",
        check=_card,
    ),
    Detector(
        name="card_code",
        category="financial.card",
        pattern=rx(
            rf"(?i)\b(?:cvv2?|cvc2?|card security code|c.{{1,2}}digo de segur(?:idad|an.{{1,2}}a)|codice di sicurezza|codi de seguretat|cryptogramme(?: visuel)?|(?:karten)?pr.{{1,2}}fnummer)(?:\b|(?=[0-9]))[^0-9\n]{{0,12}}(?:{_EXPIRY}[^0-9\n]{{1,8}})?(?P<value>[0-9]{{3,4}})(?!(?!{_UNTIL})(?:[0-9]|[ -][0-9]{{4}}))"
        ),
        source="PCI DSS, card verification value behind its name",
        hint=("cv", "security code", "digo de segur", "codice di sic", "codi de seg", "cryptogramme", "fnummer"),
        check=_card_code,
        confidence=0.9,
        joins=False,
    ),
    Detector(
        name="iban",
        category="financial.iban",
        pattern=rx(
            r"(?i)(?<![A-Z0-9])(?P<value>[A-Z]{2}[0-9]{2}(?:[\s.-]?[A-Z0-9]{4}){2,7}(?:[\s.-]?[A-Z0-9]{1,3})?)(?![A-Z0-9])"
        ),
        source="ISO 13616, modulo 97",
        check=_iban,
        extent=_iban_extent,
    ),
    Detector(
        name="ccc",
        category="financial.account",
        pattern=rx(rf"{BEGIN}(?P<value>[0-9]{{4}}[\s.-]?[0-9]{{4}}[\s.-]?[0-9]{{2}}[\s.-]?[0-9]{{10}}){END}"),
        source="Spanish account code, two control digits",
        check=_ccc,
    ),
    Detector(
        name="us_account",
        category="financial.account",
        pattern=rx(
            r"(?i)\b(?:account|acct|routing|sort code|cuenta)\s{0,2}(?:number|no\.?|num|bancaria|#)?\s{0,2}(?:is|es|:|#|=)\s{0,2}(?P<value>[0-9][0-9 -]{5,18}[0-9])(?![0-9.,])"
        ),
        source="account numbers behind their name",
        hint=("account", "acct", "routing", "sort code", "cuenta"),
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="bitcoin",
        category="financial.crypto",
        pattern=rx(r"(?<![\w/+-])(?P<value>[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,71})(?![\w/+-])"),
        source="Bitcoin, base58check and BIP 173",
        check=lambda match: bitcoin.is_valid(match["value"]),
    ),
    Detector(
        name="ethereum",
        category="financial.crypto",
        pattern=rx(
            r"(?i)\b(?:eth(?:ereum)?|wallet|monedero|billetera|erc-?20)\b[^\n]{0,40}?(?P<value>\b0x[0-9a-f]{40}\b)"
        ),
        source="EIP-55, with context",
        hint=("0x",),
    ),
    Detector(
        name="email",
        category="contact.email",
        pattern=rx(
            r"(?i)(?<![\w.+/-])(?P<value>[\w.+'-]{1,64}@(?:[a-z0-9][a-z0-9-]{0,62}\.){1,5}[a-z]{2,24})(?![\w-]|\()"
        ),
        source="RFC 5321",
        check=_email,
        joins=False,
    ),
    Detector(
        name="card_named",
        category="financial.card",
        pattern=rx(
            r"(?i)\b(?:(?:credit|debit) card|my card|this card|card (?:number|no\.?)|for card|the card|tarjeta)(?: number| no\.?)?[^0-9a-z\n]{0,4}(?:is |es |n.{0,4} )?(?P<value>[0-9](?:[ -]?[0-9]){11,18})(?![0-9])"
        ),
        source="ISO/IEC 7812 lengths, behind a word for card",
        confidence=0.8,
        joins=False,
    ),
)
