"""Secrets in the forms of files and commands: PHP, XML, HCL, environment, SQL, options, devices. Pure."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from re import Match

from gateway.privacy.detectors.credentials.names import (
    MEASURE,
    PRODUCT,
    is_expression,
    is_generated,
    is_named_otherwise,
)
from gateway.privacy.detectors.credentials.placeholders import is_placeholder
from gateway.privacy.detectors.detector import Detector, entropy, is_version, rx
from gateway.privacy.detectors.high_entropy import kinds, of_words, transitions
from gateway.privacy.patterns import late

_NAME_OF_ONE = r"(?:pass(?:word|wd|phrase)?|passwd|pwd|secret|token|api[_-]?key|auth[_-]?key|salt|credentials?)"
_TECHNICAL = late(
    r"(?i)[a-z_]{2,30}=[\w.]*|(?:https?:|www\.|[a-z]+://).*|[/~][\w./~-]*|.*[(){}\[\]<>].*|v?[0-9]+(?:[.,:/-][0-9]+)*[a-z%€$]{0,3}|"
    r"(?:[a-z]+/){1,6}[a-z]+[0-9]{0,2}|[a-z_]\w*(?:\.[a-z_]\w*)+:?|[0-9]{1,5}/\w*|[a-z_]+[0-9]?|"
    rf"{PRODUCT}|{MEASURE}"
)
_NO_PASSWORDS = (
    "string secret required optional boolean hidden plaintext encrypted password passphrase unknown default defaults number "
    "object varchar disabled enabled public private manual automatic prompt generated changed forgotten incorrect invalid expired "
    "hashed bcrypt argon stored never always removed missing present absent strong random simple ignore ignored example sample "
    "changeme changeit secretkey mypassword yourpassword admin administrator letmein"
)
_TYPES = frozenset(_NO_PASSWORDS.split())


def typed(value: str, least: int = 5) -> bool:
    """Tell whether somebody typed it as a password: letters and digits, or letters and signs, of no technical form."""
    value = value.rstrip(".,;:)\"'»”")
    if (
        len(value) < least
        or is_placeholder(value)
        or (_TECHNICAL.fullmatch(value) and not is_generated(value))
        or len(set(value)) < 4
    ):
        return False
    if is_version(value, 0, len(value)) or is_expression(value):
        return False
    lower, upper, digit, special = kinds(value)
    if digit:
        return (lower or upper) and entropy(value) >= 2.2
    return special and (lower or upper) and len(value) >= 6 and re.fullmatch(r"[\w/.:@-]+", value) is None


def _in_file(match: Match[str]) -> bool:
    value = match["value"]
    generated = len(value) >= 20 and all(kinds(value)) and transitions(value) >= 0.4  # with brackets and all
    return generated or typed(value)


def _key(match: Match[str]) -> bool:
    """Tell whether a value behind a name that ends in KEY, SALT or the like is made by a generator."""
    value = match["value"].rstrip("=,;")
    name_end = match.end("name")
    if is_named_otherwise(match.string, match.start("name"), name_end, match.start("value"), value):
        return False
    if (
        re.search(r"[()\[\]{}]", value)
        or is_placeholder(value)
        or is_version(match.string, match.start("value"), match.start("value") + len(value))
    ):
        return False
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", value):
        return len(value) >= 24 and entropy(value) >= 3.0 and not value.isdecimal()
    lower, upper, digit, _ = kinds(value)
    mixed = digit and (lower or upper) and transitions(value) >= 0.3 and entropy(value) >= 3.2
    return len(value) >= 16 and mixed and not of_words(value, 2, beside_secret=True)


def _short(match: Match[str]) -> bool:
    """Tell whether a value behind a name that ends in PW, PASS or PSK is a password."""
    value = match["value"]
    named = is_named_otherwise(match.string, match.start("name"), match.end("name"), match.start("value"), value)
    return (
        not named and typed(value, 6) and re.fullmatch(r"[A-Za-z_]\w*(?:\.\w+)+|[a-z]+(?:_[a-z0-9]+)+", value) is None
    )


def _words(match: Match[str]) -> bool:
    """Tell whether words are somebody's password: not a type, a state or a placeholder."""
    value = match["value"].lower()
    name = match["name"]
    if match["sign"] == "=" and not name.isupper():
        return False
    return value not in _TYPES and not is_placeholder(value) and value not in name.lower() and len(set(value)) >= 5


def _app_password(match: Match[str]) -> bool:
    value = match["value"].replace(" ", "")
    return 10 * sum(letter in "aeiou" for letter in value) <= 3 * len(value)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="key_by_name",
        category="secret.api_key",
        pattern=rx(
            r"(?i)(?P<name>(?<=[a-z0-9][_-])(?:key|pat|salt|iv|creds?|keybase)|(?<![\w-])salt)[\"'`]?[ \t]{0,3}(?:=>|[:=])[ \t]{0,3}[\"'`]?(?P<value>[^\s\"'`<>,;]{16,200})"
        ),
        source="a name that ends in KEY, PAT, SALT or IV, then what a generator makes",
        check=_key,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="password_by_name",
        category="secret.password",
        pattern=rx(
            r"(?i)(?P<name>(?<=[a-z0-9][_-])(?:pw|pass|psk|pin)|(?<![a-z0-9])(?:passwort|kennwort|senha|mdp|pw))[\"'`]?[ \t]{0,3}(?:=>|[:=])[ \t]{0,3}[\"'`]?(?P<value>[^\s\"'`<>,;]{6,100})"
        ),
        source="a name that ends in PW, PASS, PSK or a word for it, then what somebody typed",
        check=_short,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="password_of_words",
        category="secret.password",
        pattern=rx(
            r"(?im)^[ \t]{0,20}(?:-[ \t])?(?:export[ \t]|set[ \t])?(?P<name>[a-z][a-z0-9_.-]{0,40}[_-](?:pass|password|passwd|pwd|psk|pw|contrasena|clave))(?P<sign>=|:[ \t])[\"']?(?P<value>[a-z]{6,24}|[a-z]{3,12}(?:-[a-z]{3,12}){1,5})[\"']?[ \t]{0,9}\r?$"
        ),
        source="a line of an environment or of YAML that sets a password of words",
        check=_words,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="app_password",
        category="secret.password",
        pattern=rx(
            r"(?i)(?:pass\w{0,10}|contrase.{1,2}as?|clave|passwort|kennwort|senha|mot de passe)[^\n:=]{0,40}[:=][ \t]{0,3}[\"']?(?P<value>[a-z]{4}(?: [a-z]{4}){3})(?![a-z])"
        ),
        source="Google's and Microsoft's passwords for apps: four groups of four letters",
        check=_app_password,
        confidence=0.9,
        joins=False,
    ),
    Detector(
        name="password_in_code",
        category="secret.password",
        pattern=rx(
            rf"(?i)(?:\b(?:define|env|getenv)\(\s{{0,3}}[\"'][\w.]{{0,40}}{_NAME_OF_ONE}[\"']\s{{0,3}},\s{{0,20}}[\"']"
            rf"|\b(?:key|name)=[\"'][\w.:-]{{0,40}}{_NAME_OF_ONE}[\"']\s{{1,9}}value=[\"']"
            rf"|\bvariable\s{{1,3}}\"[\w-]{{0,40}}{_NAME_OF_ONE}\"\s{{0,3}}\{{[^}}]{{0,200}}?\bdefault\s{{0,9}}=\s{{0,3}}\")(?P<value>[^\s\"'<>]{{5,200}})"
        ),
        source="PHP's define and env, XML's pairs of key and value, defaults of Terraform's variables",
        check=_in_file,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="password_argument",
        category="secret.password",
        pattern=rx(
            r"(?i)(?:\b(?:docker|podman|helm)\b[^\n]{0,20}?\blogin\b[^\n]{0,60}?\s-p[ =]?|\bhtpasswd\s-[a-z]{0,4}b[a-z]{0,4}\s[^\s]{1,60}\s[^\s]{1,40}\s|\bidentified\sby\s|\bpassword\s?\(?\s?(?=')|\bbindpw\s"
            r"|\s--pass(?:word|wd)?[ =]|\b(?:ENV|ARG)\s\w{0,30}(?:password|pass|passwd|secret|token)\s|\buser(?:name)?\s[^\s]{1,40}\spass(?:word)?\s(?:[0-9]\s)?|\busuario\s[^\s]{1,40}\s(?:clave|contrase.{1,2}a|pass)\s|\benable\s(?:secret|password)\s(?:[0-9]\s)?|\bsnmp-server community\s|\bnet user\s[^\s/]{1,40}\s|\bopenssl enc\b[^\n]{0,60}?\s-k\s)[\"']?(?P<value>[^\s\"'<>,;]{5,100})"
        ),
        source="options and statements that take a password: docker, htpasswd, SQL, LDAP, Dockerfiles, Cisco",
        check=_in_file,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="chpasswd",
        category="secret.password",
        pattern=rx(r"[a-z_][\w.-]{0,30}:(?P<value>[^\s:\"'|]{5,60})[\"']?\s?\|\s?(?:sudo\s)?chpasswd\b"),
        source="what chpasswd is given",
        check=_in_file,
        confidence=0.8,
        joins=False,
    ),
)
