"""Secrets without a sign of assignment before them: in a sentence, an option, a cookie, a connection's settings.

Pure. Where nothing but a word stands before a value, the value has to look like a secret by itself.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from re import Match

from gateway.privacy.detectors.credentials.names import MEASURE, PRODUCT, is_expression, is_generated
from gateway.privacy.detectors.credentials.placeholders import is_placeholder
from gateway.privacy.detectors.detector import Detector, entropy, is_version, rx
from gateway.privacy.detectors.high_entropy import kinds, lawless, of_words, transitions
from gateway.privacy.patterns import late

_WORD = r"(?:pass(?:word|wd|phrase|code)?|pwd|psk|contrase.{1,2}as?|clave|identified(?: with [^\s]{1,40})? by)"
_NAMED = r"(?:(?:api|secret|access|auth|private|service|client|signing|encryption|webhook)[_-]?(?:key|token|secret)|[a-z]{2,20}[_-](?:key|token|secret|password)|token|secret|apikey)"
_MINE = r"(?:(?:la|el|my|mi|su|the|your|his|her|nueva|new|root|admin|wifi)\s){0,3}"
_ORDINARY = late(
    r"(?i)[a-z_]{2,30}=[\w.]*|(?:https?:|www\.|[a-z]+://).*|[/~][\w./~-]*|.*[(){}\[\]<>].*|v?[0-9]+(?:[.,:/-][0-9]+)*[a-z%€$]{0,3}|[a-z]+[.:_/-]?[0-9]{0,2}|(?:[a-z]+[._/-]){1,6}[a-z]+[0-9]{0,2}|(?:[\w.-]+/)+[\w.-]+|"
    rf"{PRODUCT}|{MEASURE}"
)


def _strong(match: Match[str]) -> bool:
    """Tell whether a person or a generator makes up such a value: letters and digits and more, of no ordinary form."""
    value = match["value"].rstrip(".,;:)\"'»”")
    if (
        len(value) < 8
        or is_placeholder(value)
        or (_ORDINARY.fullmatch(value) and not is_generated(value))
        or len(set(value)) < 5
    ):
        return False
    start = match.start("value")
    if is_version(match.string, start, start + len(value)):
        return False
    lower, upper, digit, special = kinds(value)
    if not digit:
        return lawless(value) or (special and (lower or upper) and transitions(value) >= 0.3)
    if not (lower or upper):
        return False
    return special or "-" in value or (lower and upper) or transitions(value) >= 0.25


def _lasting(match: Match[str]) -> bool:
    value = match["value"]
    return entropy(value) >= 3.0 and kinds(value)[2] and not is_placeholder(value)


def _connecting(match: Match[str]) -> bool:
    value = match["value"]
    written = not is_placeholder(value) and not re.match(r"[%{<$*\[]", value) and not is_expression(value)
    return written and len(set(value)) >= 4


_OF_CODES = r"(?:c.{1,2}digo|codi|code|codice|clave|zahlencode)"
_TO_CONFIRM = r"autori[zs]|confirm|valid|verif|acced|inici|firm|log|sign|complet|approv|bestätig|entrar|access|connect|anmeld|pag|pay"


def _lets_in(match: Match[str]) -> bool:
    """Tell whether a value in a link is random, and no name, number or hash of a file."""
    value = match["value"].rstrip(".,;:)=")
    lower, upper, digit, _ = kinds(value)
    if (
        is_placeholder(value)
        or not digit
        or not (lower or upper)
        or (re.fullmatch(r"[0-9a-fA-F-]+", value) and len(value) < 32)
    ):
        return False
    return entropy(value) >= 3.2 and transitions(value) >= 0.3 and not of_words(value, 2, beside_secret=True)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="said_password",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b{_WORD}\b[\"']?(?:\s(?:del?|para|of|for|on|to|a|con|with|el|la|los|mi|my|the|new|nueva|root|admin|wifi|now|ahora)\b){{0,4}}[\s|]{{1,4}}[\"'`“«]?(?P<value>[^\s\"'`<>|]{{8,64}})"
        ),
        source="a word for a password, then what nobody writes for another reason",
        check=_strong,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="password_said_after",
        category="secret.password",
        pattern=rx(
            rf"(?i)(?<![^\s\"'`“«(])[\"'`“«]?(?P<value>[^\s\"'`<>|]{{8,64}})[\"'`”»]?\s(?:(?:como|as|is|es|de|for)\s)?{_MINE}{_WORD}\b"
        ),
        proposal=rf"(?i)\s{_WORD}",
        source="what nobody writes for another reason, then a word for a password",
        check=_strong,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="named_value",
        category="secret.token",
        pattern=rx(rf"(?i)(?<![a-z0-9]){_NAMED}\b[\"'`]?[\s|]{{1,4}}[\"'`]?(?P<value>[\w.+/=-]{{12,128}})(?![\w(])"),
        source="a secret's name as programs write it, then a value: options, tables, Dockerfiles",
        check=_strong,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="option_password",
        category="secret.password",
        pattern=rx(
            r"(?i)(?:\bredis-cli\b[^\n]{0,60}?\s-a|\bnet use\b[^\n]{0,80}?/user:[^\s]{1,60}|\bmachine\s[^\s]{1,80}\slogin\s[^\s]{1,60}\spassword|\bpass:|\bsmbclient\b[^\n]{0,80}?-U\s?[^\s%]{1,40}%|\bldapsearch\b[^\n]{0,120}?\s-w)\s?[\"']?(?P<value>[^\s\"']{6,100})"
        ),
        source="options of redis-cli, net use, smbclient, ldapsearch and openssl; .netrc",
        check=lambda match: not is_placeholder(match["value"]) and kinds(match["value"])[2],
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="connection_settings",
        category="secret.connection_string",
        pattern=rx(
            r"(?i)\b(?:user(?:name|[ _]?id)?|uid|login)=[^;\s&\"']{1,60}[;& ]\s?(?:[\w ]{1,30}=[^;&\s\"']{0,80}[;& ]\s?){0,4}(?:password|pwd|pass)=(?P<value>[^;&\s\"']{4,100})"
        ),
        source="ADO.NET, JDBC, ODBC and libpq: a user, then a password",
        check=_connecting,
        confidence=0.9,
    ),
    Detector(
        name="user_at_host",
        category="secret.connection_string",
        pattern=rx(
            r"(?<![\w/:.@-])[a-z_][\w.-]{1,30}:(?P<value>[^\s:@/\"'<>]{8,60})@(?!sha[0-9])[A-Za-z][\w.-]{1,100}"
        ),
        source="RFC 3986, userinfo without a scheme, as rsync, FTP clients and people write it",
        check=_strong,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="pgpass",
        category="secret.connection_string",
        pattern=rx(r"(?m)^[\w.*-]{1,100}:(?:[0-9]{4,5}|\*):[\w*-]{1,60}:[\w-]{1,60}:(?P<value>[^\s:]{6,100})"),
        source="PostgreSQL's password file",
        check=lambda match: kinds(match["value"])[2] and _connecting(match),
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="cookie",
        category="secret.token",
        pattern=rx(
            r"(?i)\b(?:set-)?cookie[\"']?\s{0,2}[:=]\s{0,2}[\"']?[^\n]{0,300}?(?:sess\w{0,12}|\w{0,12}sid|\w{0,20}auth\w{0,12}|\w{0,12}token|jwt|connect\.sid|remember\w{0,8}|\w{0,12}session\w{0,8})=(?P<value>[\w.%+/=~-]{16,2000})"
        ),
        source="RFC 6265: a session's cookie lets its holder in",
        check=_lasting,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="signed_url",
        category="secret.token",
        pattern=rx(
            r"(?i)[?&;](?:sig|signature|x-amz-signature|x-goog-signature|access_token|id_token|refresh_token|auth|apikey|api_key|token|key-pair-id)=(?P<value>(?:[\w.+/=~-]|%[0-9a-f]{2}){24,2000})"
        ),
        source="addresses that let their holder in: Azure SAS, AWS Signature 4, Google, OAuth in a query",
        check=_lasting,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="recovery_codes",
        category="secret.password",
        pattern=rx(
            r"(?i)\b(?:(?:recovery|backup|2fa|mfa|scratch)[\s-]?codes?|(?:wiederherstellungs|notfall|herstel)-?codes?|codes? de (?:secours|r.{1,2}cup.{1,2}ration)|codici di (?:recupero|backup)|c.{1,2}digos? de (?:recuperaci.{1,2}n|recupera.{1,4}o|respaldo|seguridad|backup)|codis de (?:recuperaci.{1,2}|seguretat))\b[^\n]{0,60}?[\s:]\s{0,3}[-*]?\s{0,2}(?P<value>(?=[a-z-]{0,9}[0-9])[a-z0-9]{4,6}-[a-z0-9]{4,6}\b|[0-9]{8}\b|[0-9]{4} [0-9]{4}\b|[0-9]{3} [0-9]{3}\b)"
        ),
        proposal=r"(?i)(?:recovery|backup|2fa|mfa|scratch|wiederherstellungs|notfall|herstel)[\s-]?codes?|codes? de |codici di |codis de |digos? de ",
        source="codes of a second factor, behind their name",
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="one_time_code",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b(?:otp|(?:one[- ]time|verification|security|login|confirmation|2fa|sms)[- ](?:code|password|pin)|{_OF_CODES}\s(?:de verificaci.{{1,2}}n|de un solo uso|sms|otp|de verifica.{{1,4}}o|de v.{{1,2}}rification|di verifica|de seguridad|de confirmaci.{{1,2}}n"
            rf"|(?:para|to|per|pour|zum|zur|de|di|um)\s(?:{_TO_CONFIRM})\w*[^\n]{{0,80}}?))(?:\s(?:is|es|est|ist|lautet|.{{1,2}}|de\s[^\s:]{{1,20}}\s(?:es|is)))?\s?[:=]?\s(?P<value>[0-9]{{3}}[ -]?[0-9]{{3,5}})(?![0-9A-Za-z]|[.,][0-9])"
        ),
        proposal=rf"(?i)\botp\b|(?:one[- ]time|verification|security|login|confirmation|2fa|sms)[- ](?:code|password|pin)|{_OF_CODES}\s(?:de|sms|otp|di|para|to|per|pour|zum|zur|um)\b",
        source="a code of a second factor behind its name, or behind what it confirms",
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="one_time_code_before",
        category="secret.password",
        pattern=rx(
            rf"(?i)(?<![\w.,-])(?P<value>[0-9]{{3}}[ -]?[0-9]{{3,5}})\s(?:is|es|est|ist|.{{1,2}})\s(?:your|tu|su|el|the|votre|ton|dein|ihr|il|o seu|seu|el teu)\s[^\n.]{{0,40}}?\b(?:{_OF_CODES}|code|pin|passcode)\b"
        ),
        proposal=r"(?i)[0-9]{3}[ -]?[0-9]{3,5}\s(?:is|es|est|ist|\S\S?)\s(?:your|tu|su|el|the|votre|ton|dein|ihr|il|o seu|seu)\s",
        source="a code of a second factor, then whose it is",
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="secret_link",
        category="secret.token",
        pattern=rx(
            r"(?i)\bhttps?://[^\s\"'<>]{3,300}?(?:[?&#;](?:[a-z]{1,12}[_-])?(?:token|t|key|k|code|auth|sig|signature|access|session|sid|otp|hash|jwt|magic|invite|secret|ticket|nonce|h)="
            r"|/(?:login|magic(?:-?link)?|reset(?:-?password)?|verify|invite|invitation|confirm|activate|token|join|share|acceso|restablecer|invitacion)/)(?P<value>[\w.~%+=-]{16,})"
        ),
        proposal=r"(?i)https?://[^\s\"'<>]{3,100}",
        source="a link that lets in whoever has it: a random value in its query or path",
        check=_lets_in,
        confidence=0.7,
        joins=False,
    ),
)
