"""Every detector: what it looks for, how a hit is checked, and where its shape comes from. Pure data and predicates.

A detector's pattern finds candidates; its check decides. `hint` is a cheap test that must hold for a text before the
pattern is tried: most texts are free of most things.
"""

import math
import re
from collections.abc import Callable
from re import Match, Pattern

import msgspec
import phonenumbers
from stdnum import iban, luhn
from stdnum.es import ccc, cif, dni, nie
from stdnum.gb import nhs
from stdnum.us import itin, ssn

Check = Callable[[Match[str]], bool]


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of sensitive data. The group `value`, where the pattern has one, is the finding's span."""

    name: str
    category: str
    pattern: Pattern[str]
    source: str  # law, issuer or checksum
    hint: Callable[[str], bool]
    check: Check = lambda match: True
    confidence: float = 1.0


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _compact(match: Match[str]) -> str:
    return re.sub(r"[\s.\-/]", "", match["value"])


def _has(*words: str) -> Callable[[str], bool]:
    lowered = tuple(word.lower() for word in words)
    return lambda folded: any(word in folded for word in lowered)


_DIGIT = re.compile(r"\d")


def _any_digit(folded: str) -> bool:
    return _DIGIT.search(folded) is not None


def _near(match: Match[str], words: Pattern[str], before: int = 48, after: int = 24) -> bool:
    """Whether a context word stands near the hit."""
    start, end = match.span()
    return words.search(match.string, max(0, start - before), min(len(match.string), end + after)) is not None


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    counts: dict[str, int] = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


_SSN_WORDS = re.compile(r"(?i)\b(ssn|social\s+security|itin|tax(payer)?\s+id)")
_NHS_WORDS = re.compile(r"(?i)\bnhs\b")
_NSS_WORDS = re.compile(r"(?i)\b(nss|nuss|nass|naf|seguridad\s+social|afiliaci[oó]n)\b")
_CCC_WORDS = re.compile(r"(?i)\b(ccc|cuenta|account|banco|bank)")
_PASSPORT_WORDS = re.compile(r"(?i)\b(passport|pasaporte)\b")
_PLATE_WORDS = re.compile(r"(?i)\b(matr[ií]cula|veh[ií]culo|coche|license\s+plate|licence\s+plate|number\s+plate)\b")
_PHONE_WORDS = re.compile(r"(?i)(phone|tel[eé]?f|m[oó]vil|mobile|cell|call|whats|llam|contact|fax|tlf|tfno|\btel\b)")
_PLACEHOLDER = re.compile(
    r"(?i)^(x+|\*+|\.+|<.*>|\$\{?\w+\}?|\{\{.*\}\}|%\(?\w+.*|(your|my|the|example|sample|change|some|test|dummy|null|none|true|"
    r"false|undefined|required|optional|string|str|int|bool|password|passwd|secret|token|key|value|env|os|self|get|process)"
    r"[\w.\-\[\]()'\"]*)$"
)


def _card(match: Match[str]) -> bool:
    digits = _digits(match["value"])
    return len(set(digits)) > 1 and digits[0] in "23456" and luhn.is_valid(digits)


def _iban(match: Match[str]) -> bool:
    """Also with a word behind it that could belong to it."""
    compact = _compact(match)
    return any(iban.is_valid(compact[:length]) for length in range(len(compact), 14, -1))


_FORM = re.compile(
    r"(?i)\b(nombre\s*:|apellidos\s*:|nhc\b|cipa\b|nass\s*:|paciente|fecha de (?:ingreso|nacimiento|alta)|"
    r"domicilio\s*:|m[eé]dico\s*:|historia cl[ií]nica|diagn[oó]stico|antecedentes|tratamiento|"
    r"exploraci[oó]n f[ií]sica|servicio de|"
    r"patient\b|diagnos(?:is|ed)|medical record|mrn\b|date of (?:birth|admission)|discharge|prescribed|symptoms)"
)


def _clinical(match: Match[str]) -> bool:
    """At least four different field names or words of a clinical record in one text."""
    words = {found[0].lower().rstrip(": ") for found in _FORM.finditer(match.string)}
    return len(words) >= 4


def _nss(match: Match[str]) -> bool:
    digits = _digits(match["value"])
    if len(digits) not in (11, 12) or not _near(match, _NSS_WORDS):
        return False
    body, control = digits[:-2], int(digits[-2:])
    province, number = body[:2], body[2:]
    joined = int(province) * 10**7 + int(number) if int(number) < 10**7 else int(body)
    return joined % 97 == control or int(body) % 97 == control


def _phone(match: Match[str]) -> bool:
    text = match["value"]
    international = text.lstrip().startswith(("+", "00"))
    if not international and not _near(match, _PHONE_WORDS):
        digits = _digits(text)
        if not (len(digits) == 9 and digits[0] in "67" and len(text) > 9):
            return False
    for region in ("ES", "US", "GB"):
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
        if international:
            return False
    return False


def _assigned(match: Match[str]) -> bool:
    value = match["value"]
    if _PLACEHOLDER.match(value) or len(set(value)) < 4:
        return False
    classes = sum(bool(re.search(kind, value)) for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[^\w]"))
    return classes >= 2 and (entropy(value) >= 2.5) and not re.fullmatch(r"[\w.]+\(.*\)?|[a-z_]+(\.[a-z_]+)+", value)


def _random(match: Match[str]) -> bool:
    """A long string of mixed classes, as vendors make keys; not a hash, an identifier in code or base64 of text."""
    value = match["value"]
    if re.fullmatch(r"[0-9a-fA-F-]+", value) or not re.search(r"\d", value):
        return False
    digits = len(re.findall(r"\d", value))
    mixed = bool(re.search(r"[a-z]", value)) and bool(re.search(r"[A-Z]", value))
    return mixed and digits >= 3 and entropy(value) >= 4.0


def _rx(pattern: str, flags: int = 0) -> Pattern[str]:
    return re.compile(pattern, flags)


_B, _E = r"(?<![\w.@-])", r"(?![\w@-])"
_KEY_WORDS = (
    r"pass(?:word|wd|phrase)?|pwd|contrase(?:ñ|n)a|clave|secret|token|api[_\- ]?key|apikey|access[_\- ]?key|"
    r"auth[_\- ]?key|client[_\- ]?secret|private[_\- ]?key|credential|secreto|pin"
)

DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="private_key",
        category="secret.private_key",
        pattern=_rx(r"(?P<value>-----\s?BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----)"),
        source="RFC 7468, PEM; RFC 4880, OpenPGP",
        hint=_has("private key"),
    ),
    Detector(
        name="vendor_token",
        category="secret.api_key",
        pattern=_rx(
            r"(?<![A-Za-z0-9])(?P<value>sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{36,}|"
            r"github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}|"
            r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}|AIza[\w-]{35}|hf_[A-Za-z]{30,}|npm_[A-Za-z0-9]{36}|SG\.[\w-]{16,}\.[\w-]{16,}|"
            r"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|pypi-[\w-]{50,}|ya29\.[\w-]{20,}|do[opr]_v1_[a-f0-9]{64}|"
            r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}|"
            r"key-[0-9a-f]{32}|dapi[a-f0-9]{32}|PMAK-[a-f0-9-]{40,}|lin_api_[A-Za-z0-9]{40}|sq0[a-z]{3}-[\w-]{22,}|"
            r"AGE-SECRET-KEY-1[A-Z0-9]{50,}|EAACEdEose0cBA\w+|\d{8,10}:AA[\w-]{33})"
        ),
        source="formats published by the issuers",
        hint=lambda folded: True,
    ),
    Detector(
        name="jwt",
        category="secret.token",
        pattern=_rx(r"(?P<value>\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"),
        source="RFC 7519",
        hint=_has("eyj"),
    ),
    Detector(
        name="bearer",
        category="secret.token",
        pattern=_rx(r"(?i)\bbearer\s+(?P<value>(?=[\w.~+/=-]*\d)[\w.~+/=-]{20,})"),
        source="RFC 6750",
        hint=_has("bearer"),
    ),
    Detector(
        name="connection_string",
        category="secret.connection_string",
        pattern=_rx(
            r"(?P<value>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"<>]{1,80}:(?![<$%{*x])[^\s/@'\"<>]{3,120}@[\w.-]+)"
        ),
        source="RFC 3986, userinfo",
        hint=_has("://"),
    ),
    Detector(
        name="assignment",
        category="secret.password",
        pattern=_rx(
            rf"(?i)(?:{_KEY_WORDS})\w{{0,20}}[\"']?\s{{0,3}}(?:[:=]|=>|:=|\bis\b|\bes\b)\s{{0,3}}[\"'`]?(?P<value>[^\s\"'`,;<>]{{6,200}})"
        ),
        source="a word for a secret, a sign of assignment, a value that is no placeholder",
        hint=_has("pass", "pwd", "contrase", "clave", "secret", "token", "key", "credential", "pin"),
        check=_assigned,
        confidence=0.8,
    ),
    Detector(
        name="random_string",
        category="secret.shaped",
        pattern=_rx(r"(?<![\w/+=-])(?P<value>[A-Za-z0-9_-]{24,120})(?![\w/+=-])"),
        source="length, mixed classes and entropy of at least 4 bits a character",
        hint=_any_digit,
        check=_random,
        confidence=0.6,
    ),
    Detector(
        name="dni",
        category="id.national",
        pattern=_rx(rf"{_B}(?P<value>\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}[\s.-]?[A-Za-z]){_E}"),
        source="Real Decreto 1553/2005, control letter modulo 23",
        hint=_any_digit,
        check=lambda match: len(_compact(match)) == 9 and dni.is_valid(_compact(match)),
    ),
    Detector(
        name="nie",
        category="id.national",
        pattern=_rx(rf"{_B}(?P<value>[XYZxyz][\s.-]?\d{{1}}[. ]?\d{{3}}[. ]?\d{{3}}[\s.-]?[A-Za-z]){_E}"),
        source="Real Decreto 557/2011, control letter modulo 23",
        hint=_any_digit,
        check=lambda match: nie.is_valid(_compact(match)),
    ),
    Detector(
        name="cif",
        category="id.tax",
        pattern=_rx(
            rf"{_B}(?P<value>[A-HJNP-SUVWa-hjnp-suvw][\s.-]?\d{{2}}[. ]?\d{{3}}[. ]?\d{{2}}[\s.-]?[0-9A-Ja-j]){_E}"
        ),
        source="Orden EHA/451/2008, control character",
        hint=_any_digit,
        check=lambda match: cif.is_valid(_compact(match)),
    ),
    Detector(
        name="nss",
        category="id.health",
        pattern=_rx(rf"{_B}(?P<value>\d{{2}}[\s/-]?\d{{7,8}}[\s/-]?\d{{2}}){_E}"),
        source="Spanish social security number, modulo 97, with context",
        hint=_has("nss", "nuss", "nass", "naf", "seguridad social", "afiliaci"),
        check=_nss,
    ),
    Detector(
        name="us_ssn",
        category="id.national",
        pattern=_rx(rf"{_B}(?P<value>\d{{3}}[- ]\d{{2}}[- ]\d{{4}}){_E}"),
        source="US Social Security Administration, ranges; IRS for ITIN",
        hint=_any_digit,
        check=lambda match: ssn.is_valid(_digits(match["value"])) or itin.is_valid(_digits(match["value"])),
    ),
    Detector(
        name="us_ssn_plain",
        category="id.national",
        pattern=_rx(rf"{_B}(?P<value>\d{{9}}){_E}"),
        source="US Social Security Administration, with context",
        hint=_has("ssn", "social security", "itin", "tax id", "taxpayer id"),
        check=lambda match: ssn.is_valid(match["value"]) and _near(match, _SSN_WORDS),
        confidence=0.8,
    ),
    Detector(
        name="uk_nino",
        category="id.national",
        pattern=_rx(
            rf"(?i){_B}(?P<value>(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\s?\d{{2}}\s?\d{{2}}\s?\d{{2}}\s?[A-D]){_E}"
        ),
        source="HMRC, National Insurance Manual NIM39110",
        hint=_any_digit,
    ),
    Detector(
        name="uk_nhs",
        category="id.health",
        pattern=_rx(rf"{_B}(?P<value>\d{{3}}[- ]?\d{{3}}[- ]?\d{{4}}){_E}"),
        source="NHS Data Dictionary, modulo 11, with context",
        hint=_has("nhs"),
        check=lambda match: nhs.is_valid(_digits(match["value"])) and _near(match, _NHS_WORDS),
    ),
    Detector(
        name="passport",
        category="id.passport",
        pattern=_rx(rf"{_B}(?P<value>[A-Za-z]{{1,3}}\d{{6,7}}[A-Za-z]?|\d{{9}}){_E}"),
        source="ICAO Doc 9303, with context",
        hint=_has("passport", "pasaporte"),
        check=lambda match: _near(match, _PASSPORT_WORDS),
        confidence=0.8,
    ),
    Detector(
        name="es_plate",
        category="id.plate",
        pattern=_rx(rf"{_B}(?P<value>\d{{4}}[\s-]?[BCDFGHJKLMNPRSTVWXYZ]{{3}}){_E}"),
        source="Orden PRE/3298/2004, with context",
        hint=_has("matr", "veh", "coche", "plate"),
        check=lambda match: _near(match, _PLATE_WORDS),
        confidence=0.8,
    ),
    Detector(
        name="clinical_record",
        category="health.record",
        pattern=_rx(
            r"(?i)(?P<value>\b(?:nhc|cipa|nass|paciente|historia cl[ií]nica|diagn[oó]stico|patient|medical record|mrn|"
            r"diagnosis)\b)"
        ),
        source="RGPD art. 9 and Ley 41/2002: fields of a clinical record, four of them together",
        hint=_has("nhc", "cipa", "nass", "paciente", "cl", "diagn", "patient", "mrn"),
        check=_clinical,
        confidence=0.8,
    ),
    Detector(
        name="card",
        category="financial.card",
        pattern=_rx(
            r"(?<![\d.,-])(?P<value>\d{4}(?:[ -]?\d{4}){2}[ -]?\d{1,7}|\d{4}[ -]?\d{6}[ -]?\d{4,5})(?![\d.,]?\d)"
        ),
        source="ISO/IEC 7812, Luhn",
        hint=_any_digit,
        check=_card,
    ),
    Detector(
        name="iban",
        category="financial.iban",
        pattern=_rx(
            r"(?i)(?<![A-Z0-9])(?P<value>[A-Z]{2}\d{2}(?:[\s.-]?[A-Z0-9]{4}){2,7}(?:[\s.-]?[A-Z0-9]{1,3})?)(?![A-Z0-9])"
        ),
        source="ISO 13616, modulo 97",
        hint=_any_digit,
        check=_iban,
    ),
    Detector(
        name="ccc",
        category="financial.account",
        pattern=_rx(rf"{_B}(?P<value>\d{{4}}[\s-]?\d{{4}}[\s-]?\d{{2}}[\s-]?\d{{10}}){_E}"),
        source="Spanish account code, two control digits, with context",
        hint=_has("ccc", "cuenta", "account", "banco", "bank"),
        check=lambda match: ccc.is_valid(_digits(match["value"])) and _near(match, _CCC_WORDS),
    ),
    Detector(
        name="email",
        category="contact.email",
        pattern=_rx(r"(?i)(?<![\w.+-])(?P<value>[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})(?![\w-])"),
        source="RFC 5321",
        hint=_has("@"),
        check=lambda match: not re.search(r"(?i)@(example|test)\.(com|org|net)$|@localhost", match["value"]),
    ),
    Detector(
        name="phone",
        category="contact.phone",
        pattern=_rx(
            r"(?<![\w.,/-])(?P<value>(?:(?:\+|00)\d{1,3}[\s.-]?)?(?:\(\d{2,4}\)[\s.-]?)?\d{2,4}(?:[\s.-]?\d{2,4}){2,4})(?![\w]|[.,-]\d)"
        ),
        source="ITU-T E.164; numbering plans by libphonenumber",
        hint=_any_digit,
        check=_phone,
        confidence=0.7,
    ),
)

CATEGORIES: tuple[str, ...] = tuple(sorted({detector.category for detector in DETECTORS}))
