"""Numbers that states and health services give to people, firms and vehicles. Pure data and predicates."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from re import Match

from stdnum import luhn
from stdnum.es import cif, cups, dni, nie, referenciacatastral
from stdnum.gb import nhs
from stdnum.us import itin, ssn

from gateway.privacy.detectors.detector import BEGIN, END, Detector, compact, digits, near, rx, words

# Numbers with a check letter also stand behind an underscore, or a word with a dot or a hyphen, in the names of files,
# and grown together with their name.
_FREE = r"(?:(?<![A-Za-z0-9.@-])|(?<=[a-z]{3}[.-])|(?<=DNI)|(?<=dni)|(?<=NIF)|(?<=nif)|(?<=NIE)|(?<=nie)|(?<=CIF)|(?<=cif)|(?<=\bES)|(?<=\bes)|(?<=_ES))"
_DONE = r"(?![A-Za-z0-9@]|-[A-Za-z0-9])"
_SSN_WORDS = words(r"\b(ssns?|social\s+security|(?:my|the|his|her|your) social (?:is|number)|itin|tax(payer)?\s+id)\b")
_NHS_WORDS = words(r"\bnhs\b|health service")
_NSS_WORDS = words(
    r"\b(nss|nuss|nass|naf|seguridad\s+social|afiliaci[oó]n|n[uú]mero de la ss|n[ºo°.]{0,2}\s?(?:de la )?ss)\b"
)
_PASSPORT_WORDS = words(r"\b(passports?|pasaportes?)\b")
_PLATE_WORDS = words(
    r"matr[ií]cula|veh[ií]culo|\bcoche|\bmoto(?:cicleta)?\b|\bfurgoneta|\bcami[oó]n|licen[sc]e\s+plate|number\s+plate|\bcar\b|registration|"
    r"\bmultas?\b|\bturismo\b|\bciclomotor|\bitv\b|\bdgt\b|aparca|\bremolque|\btaxi\b|\bparking|\bgarajes?\b|\btaller\b|\bgr[uú]a\b"
)
_DNI_WORDS = words(r"\b(dni|d\.n\.i|nif|n\.i\.f|documento nacional|identidad)\b")
_LICENCE_WORDS = words(r"driv(?:er|ing)[’'s]*\s+licen[sc]e|\bdvla\b|carn[eé] de conducir|permiso de conducir")
_HEALTH_WORDS = words(
    r"\b(nhc|n[ºo°.]*\s*historia|historia cl[ií]nica|cipa?|sip|tarjeta sanitaria|mrn|medical record|nuhsa|cip)\b"
)


def _nss(match: Match[str]) -> bool:
    number = digits(match["value"])
    if len(number) not in (11, 12):
        return False
    if len(match["value"]) == len(number) and not near(match, _NSS_WORDS):
        return False
    province, serial, control = number[:2], number[2:-2], int(number[-2:])
    if not (1 <= int(province) <= 53 or province == "66"):
        return False
    joined = int(province) * 10**7 + int(serial) if int(serial) < 10**7 else int(province + serial)
    return control in (joined % 97, int(province + serial) % 97)


_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"  # by the number modulo 23; looked at first, because nearly everything fails there


def _dni(match: Match[str]) -> bool:
    value = compact(match).upper()
    return len(value) == 9 and value[-1] == _LETTERS[int(value[:-1]) % 23] and dni.is_valid(value)


def _short_dni(match: Match[str]) -> bool:
    return near(match, _DNI_WORDS) and dni.is_valid(compact(match).rjust(9, "0"))


def _us(match: Match[str]) -> bool:
    value = match["value"]
    number = digits(value)
    if "-" not in value and not near(match, _SSN_WORDS):
        return False
    return ssn.is_valid(number) or itin.is_valid(number)


def _licence(match: Match[str]) -> bool:
    month = int(match["value"][6:8])
    return 1 <= month <= 12 or 51 <= month <= 62


def _code_point(match: Match[str]) -> bool:
    """Tell whether it is a character that a program writes by its number, as Python does behind a capital U."""
    return match["value"][0] == "U" and match.string[match.start("value") - 1 : match.start("value")] == "\\"


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="dni",
        category="id.national",
        pattern=rx(
            rf"{_FREE}(?<![0-9]:)(?P<value>[0-9]{{1,2}}(?P<gap>[. ]?)[0-9]{{3}}(?P=gap)[0-9]{{3}}[\s./-]{{0,3}}[A-Za-z]){_DONE}"
        ),
        source="Real Decreto 1553/2005, control letter modulo 23",
        check=_dni,
    ),
    Detector(
        name="dni_short",
        category="id.national",
        pattern=rx(rf"{BEGIN}(?P<value>[0-9]{{1,2}}[. ]?[0-9]{{3}}[. ]?[0-9]{{2,3}}[\s.-]?[A-Za-z]){END}"),
        source="Real Decreto 1553/2005, without leading zeros, with context",
        hint=("dni", "d.n.i", "nif", "n.i.f", "documento", "identidad"),
        check=_short_dni,
        confidence=0.9,
    ),
    Detector(
        name="nie",
        category="id.national",
        pattern=rx(
            rf"{_FREE}(?P<value>[XYZxyz][\s./-]?[0-9][. ]?[0-9]{{3}}[. ]?[0-9]{{3}}[\s./-]{{0,3}}[A-Za-z]){_DONE}"
        ),
        source="Real Decreto 557/2011, control letter modulo 23",
        check=lambda match: nie.is_valid(compact(match)),
    ),
    Detector(
        name="cif",
        category="id.tax",
        pattern=rx(
            rf"{_FREE}(?P<value>(?:[A-HJNP-SUVW][\s./-]?|[a-hjnp-suvw][./-]?)[0-9]{{2}}[. -]?[0-9]{{3}}[. -]?[0-9]{{2}}[\s./-]?[0-9A-Ja-j]){_DONE}"
        ),
        source="Orden EHA/451/2008, control character",
        check=lambda match: not _code_point(match) and cif.is_valid(compact(match)),
    ),
    Detector(
        name="nss",
        category="id.health",
        pattern=rx(rf"{BEGIN}(?P<value>[0-9]{{2}}[\s/.-]?[0-9]{{7,8}}[\s/.-]?[0-9]{{2}}){END}"),
        source="Spanish social security number (Orden ESS/484/2013), modulo 97",
        check=_nss,
    ),
    Detector(
        name="health_number",
        category="id.health",
        pattern=rx(
            r"(?i)\b(?:nhc|cipa|cip|sip|tsi|cite|nuhsa|nass|mrn|medical record (?:number|no\.?)|n[^\s]{0,3} ?(?:de )?historia(?: cl.{1,2}nica)?|tarjeta sanitaria|c.{1,2}digo de identificaci.{1,2}n personal|n.{0,6} (?:de )?(?:asegurado|mutualista))"
            r"(?:\s(?:individual|europea|auton.{1,2}mic[oa]|sns|es|del? paciente|n.{1,6}ro|n[^\s]{0,2})){0,3}\s{0,3}[:#.=-]?\s{0,3}(?P<value>[A-Z]{0,10}[ -]?[0-9][0-9 /-]{4,20}[0-9])"
        ),
        source="record numbers of hospitals and regional health cards, behind their field name",
        hint=(
            "nhc",
            "cip",
            "sip",
            "tsi",
            "cite",
            "nuhsa",
            "nass",
            "mrn",
            "record",
            "historia",
            "sanitaria",
            "identificaci",
            "asegurado",
            "mutualista",
        ),
        confidence=0.9,
    ),
    Detector(
        name="es_cadastre",
        category="id.property",
        pattern=rx(rf"(?i){_FREE}(?P<value>[0-9A-Z]{{7}}[\s-]?[0-9A-Z]{{7}}[\s-]?[0-9]{{4}}[\s-]?[A-Z]{{2}}){_DONE}"),
        source="Real Decreto Legislativo 1/2004, cadastral reference, two control letters",
        check=lambda match: referenciacatastral.is_valid(compact(match)),
    ),
    Detector(
        name="es_cups",
        category="id.property",
        pattern=rx(rf"(?i){_FREE}(?P<value>ES[\s-]?(?:[0-9]{{4}}[\s-]?){{4}}[A-Z]{{2}}(?:\s?[0-9][FPCRXYZ])?){_DONE}"),
        source="supply point of electricity or gas (Real Decreto 1435/2002), modulo 529",
        check=lambda match: cups.is_valid(compact(match)),
    ),
    Detector(
        name="us_ssn",
        category="id.national",
        pattern=rx(rf"{BEGIN}(?P<value>[0-9]{{3}}([- ]?)[0-9]{{2}}\2[0-9]{{4}}){END}"),
        source="US Social Security Administration, ranges; IRS for ITIN; with context unless hyphenated",
        check=_us,
    ),
    Detector(
        name="uk_nino",
        category="id.national",
        pattern=rx(
            rf"(?i){BEGIN}(?P<value>(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\s?[0-9]{{2}}\s?[0-9]{{2}}\s?[0-9]{{2}}\s?[A-D]){END}"
        ),
        source="HMRC, National Insurance Manual NIM39110",
    ),
    Detector(
        name="uk_nhs",
        category="id.health",
        pattern=rx(rf"{BEGIN}(?P<value>[0-9]{{3}}[- ]?[0-9]{{3}}[- ]?[0-9]{{4}}){END}"),
        source="NHS Data Dictionary, modulo 11, with context",
        hint=("nhs", "health service"),
        check=lambda match: nhs.is_valid(digits(match["value"])) and near(match, _NHS_WORDS),
    ),
    Detector(
        name="passport",
        category="id.passport",
        pattern=rx(rf"{BEGIN}(?P<value>[A-Za-z]{{1,3}}[\s-]?[0-9]{{6,8}}[A-Za-z]?|[0-9]{{9}}){END}"),
        source="ICAO Doc 9303, with context",
        hint=("passport", "pasaporte"),
        check=lambda match: near(match, _PASSPORT_WORDS),
        confidence=0.8,
    ),
    Detector(
        name="mrz",
        category="id.passport",
        pattern=rx(r"(?P<value>\b(?:P[A-Z<]|I[DCA<]|A[CR<])[A-Z]{3}[A-Z0-9<]{25,39}<?)"),
        source="ICAO Doc 9303, machine-readable zone",
        check=lambda match: "<<" in match["value"],
    ),
    Detector(
        name="es_plate",
        category="id.plate",
        pattern=rx(
            rf"(?i){BEGIN}(?P<value>[0-9]{{4}}[\s-]?[BCDFGHJKLMNPRSTVWXYZ]{{3}}|[A-Z]{{1,2}}[\s-]?[0-9]{{4}}[\s-]?[A-Z]{{1,2}}){END}"
        ),
        source="Orden PRE/3298/2004 and the provincial plates before it, with context",
        hint=(
            "matr",
            "veh",
            "coche",
            "moto",
            "furgoneta",
            "cami",
            "plate",
            "car",
            "registration",
            "multa",
            "turismo",
            "itv",
            "dgt",
            "aparca",
            "remolque",
            "taxi",
            "parking",
            "garaje",
            "taller",
            "grua",
            "grúa",
        ),
        check=lambda match: near(match, _PLATE_WORDS),
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="uk_licence",
        category="id.licence",
        pattern=rx(rf"{BEGIN}(?P<value>[A-Z]{{1,5}}9{{0,4}}[0-9]{{6}}[A-Z9]{{2}}[0-9][A-Z]{{2}}){END}"),
        source="DVLA driver number",
        check=lambda match: len(match["value"]) == 16 and _licence(match),
    ),
    Detector(
        name="driving_licence",
        category="id.licence",
        pattern=rx(rf"{BEGIN}(?P<value>[A-Z]{{0,2}}[0-9][0-9A-Z-]{{5,16}}){END}"),
        source="state driving licences, behind their name",
        hint=("driv", "conducir", "dvla"),
        check=lambda match: near(match, _LICENCE_WORDS, after=0) and len(digits(match["value"])) >= 5,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="imei",
        category="id.device",
        pattern=rx(rf"(?i)\bimei\b[^0-9]{{0,12}}(?P<value>[0-9][0-9 -]{{13,18}}[0-9]){END}"),
        source="3GPP TS 23.003, Luhn, with context",
        hint=("imei",),
        check=lambda match: luhn.is_valid(re.sub(r"[ -]", "", match["value"])),
    ),
)
