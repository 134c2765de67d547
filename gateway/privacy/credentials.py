"""Secrets: keys, tokens, passwords, and random strings that look like them. Pure data and predicates."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from operator import ne
from re import Match

from gateway.privacy.blobs import unblob
from gateway.privacy.detector import Detector, entropy, near, rx, words

_PLACEHOLDER = re.compile(
    r"(?i)(?:x+|\*+|\.+|<.*|\$.*|\{.*|%.*|.*\.\.\.|(?:xxx|your|my_|the_|example|sample|change|insert|replace|dummy|fake|placeholder|none|null|"
    r"true|false|undefined|required|optional|string|secretstr|os\.|env|self\.|process\.|config\.|settings\.|get_)"
    r".*|(?:password|passwd|secret|token|key|value|test|foo|bar|user|admin|root|default)[\W_0-9]{0,4}[\"'),;]*)\Z"
)
_PATH = re.compile(r"[A-Za-z_]\w*(?:(?:\.|::|->|/|-)\w+)*[,;:]?\Z|.*[()\[\]{}].*|https?:.*|[a-z_]+=.*|/[\w./-]*|\\.*")
_CALL = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_HASHED = words(
    r"sha-?\d|sha\b|md5|hash|digest|checksum|commit|uuid|guid|etag|integrity|fingerprint|revision|blob|\btree\b|\bnonce|"
    r"boundary|message-id|huella|resumen"
)
_SECRET_WORDS = words(
    r"key\b|api.?key|_key|token|secret|secreto|clave|contrase|password|passwd|pwd|credential|credencial|auth|bearer|acceso|access|"
    r"\bpat\b|licen[cs]|llave|webhook|sign(?:ing|ature)|\bpass\b"
)
_PREFIX = re.compile(r"(?:[A-Za-z]{2,12}[_-]){1,3}")
_KEY_PREFIX = re.compile(r"(?i)(?:^|[_-])(?:live|test|prod|key|tok|token|secret|sec|api|sk|pk|pat)[_-]")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_KEY_WORDS = (
    r"pass(?:word|wd|phrase|code)?|pwd|contrase.{1,2}as?|clave|secret|token|api[_\- ]?key|access[_\- ]?key(?:[_\- ]?id)?|"
    r"auth[_\- ]?key|client[_\- ]?secret|private[_\- ]?key|encryption[_\- ]?key|signing[_\- ]?key|credentials?|secreto|credencial(?:es)?"
)


def _free(size: int) -> None:
    """Values are short: nothing to charge."""


def _kinds(value: str) -> tuple[bool, bool, bool, bool]:
    return (
        any("a" <= c <= "z" for c in value),
        any("A" <= c <= "Z" for c in value),
        any("0" <= c <= "9" for c in value),
        any(c in "!@#$%^&*+=?~|/¡¿" for c in value),
    )


def _assigned(match: Match[str]) -> bool:
    """A value that somebody would type or generate; not an identifier, a path, a type or a placeholder."""
    value = match["value"].rstrip(".,;:)\"'")
    if len(value) < 6 or _PLACEHOLDER.match(value) or len(set(value)) < 4:
        return False
    lower, upper, digit, special = _kinds(value)
    quoted = match["quote"] != ""
    if not quoted and _CALL.match(value):
        return False
    if not quoted and _PATH.match(value) and not (digit and _broken_up(value)):
        return False
    if quoted and re.fullmatch(r"[A-Za-z_-]+|[a-z0-9_]+(?:[.:/-][a-z_][a-z0-9_]*)+|.*[\s(){}].*", value):
        return False
    if (lower or upper) and digit:
        return entropy(value) >= 2.3
    return special and (lower or upper) and quoted and entropy(value) >= 2.5 and not re.fullmatch(r"[\w/.:@-]+", value)


def _broken_up(value: str) -> bool:
    """Digits and letters mixed as no identifier mixes them, or a natural password: letters, then digits."""
    return bool(
        (
            re.fullmatch(r"[A-Za-z0-9]+[.!]?", value)
            and not re.fullmatch(r"(?:sha|md|utf|base|v|rsa|aes|int|str|h|x|rfc)_?[0-9]+.*", value, re.I)
        )
        or _transitions(value) >= 0.3
    )


_KIND_OF = {
    code: "d" if chr(code).isdigit() else "u" if chr(code).isupper() else "l" if chr(code).islower() else "-"
    for code in range(128)
}


def _transitions(value: str) -> float:
    """How often the kind of character changes: random strings change all the time, names seldom."""
    kinds = value.translate(_KIND_OF)
    changes: int = sum(map(ne, kinds, kinds[1:]))
    return changes / max(1, len(value) - 1)


def _random(match: Match[str]) -> bool:
    """A long string of mixed kinds, as vendors make keys; not a hash, an identifier in code or base64 of text."""
    value = match["value"].strip("-_=")
    lower, upper, digit, _ = _kinds(value)
    if len(value) < 16 or not digit or not (lower or upper) or _UUID.match(value) or near(match, _HASHED, 32, 0):
        return False
    context = near(match, _SECRET_WORDS, 40, 0)
    if re.fullmatch(r"(?:0x)?[0-9a-fA-F]+", value):
        return context and len(value) >= 32 and entropy(value) >= 3.0
    prefix = _PREFIX.match(value)
    if prefix is not None and len(value) - prefix.end() >= 16 and any(c.isdigit() for c in value[prefix.end() :]):
        value = value[prefix.end() :]
        context = context or _KEY_PREFIX.search(prefix[0]) is not None
        if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", value):
            return context and len(value) >= 32
    body = value.replace("-", "").replace("_", "")
    changes = _transitions(body)
    if unblob(value, _free) != value or (
        changes < 0.42 and re.search(r"[a-z]{6}|[A-Z]?[a-z]{3,}[A-Z_-][a-z]{3,}", value)
    ):
        return False
    if context:
        return changes >= 0.2 and entropy(value) >= 3.0
    if len(value) < 20 or len(body) < len(value) * 0.85:
        return False
    if lower and upper:
        return changes >= 0.4 and entropy(value) >= 3.6
    numbers = sum(c.isdigit() for c in body)
    return len(body) >= 24 and body == value and numbers >= 5 and changes >= 0.3 and entropy(value) >= 3.6


def _random_base64(match: Match[str]) -> bool:
    value = match["value"].rstrip("=")
    if not ("+" in value or "/" in value) or not all(_kinds(value)[:3]) or near(match, _HASHED, 32, 0):
        return False
    if max(map(len, re.findall(r"[a-z]+", value)), default=0) > 7 or _transitions(value) < 0.5:
        return False
    return entropy(value) >= 4.2 and unblob(match["value"], _free) == match["value"]


def _bearer(match: Match[str]) -> bool:
    value = match["value"]
    return entropy(value) >= 3.0 and not _PLACEHOLDER.match(value)


def _connection(match: Match[str]) -> bool:
    return not _PLACEHOLDER.match(match["password"]) and match["password"].lower() not in ("pass", "pwd", "password")


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="private_key",
        category="secret.private_key",
        pattern=rx(r"(?P<value>-----\s?BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[23]:)"),
        source="RFC 7468, PEM; RFC 4880, OpenPGP; PuTTY",
    ),
    Detector(
        name="vendor_token",
        category="secret.api_key",
        pattern=rx(
            r"(?<![A-Za-z0-9])(?P<value>sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{36,}|"
            r"github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}|"
            r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}|AIza[\w-]{35}|hf_[A-Za-z]{30,}|npm_[A-Za-z0-9]{36}|SG\.[\w-]{16,}\.[\w-]{16,}|"
            r"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{24,}|pypi-[\w-]{50,}|ya29\.[\w-]{20,}|do[opr]_v1_[a-f0-9]{64}|"
            r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}|pplx-[A-Za-z0-9]{32,}|"
            r"key-[0-9a-f]{32}|dapi[a-f0-9]{32}|PMAK-[a-f0-9-]{40,}|lin_api_[A-Za-z0-9]{40}|sq0[a-z]{3}-[\w-]{22,}|"
            r"GOCSPX-[\w-]{24,}|dckr_pat_[\w-]{20,}|tskey-[a-z]+-[\w-]{16,}|ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{40,}|"
            r"https://hooks\.slack\.com/services/T\w+/B\w+/\w{20,}|https://discord(?:app)?\.com/api/webhooks/[0-9]+/[\w-]{50,}|"
            r"AGE-SECRET-KEY-1[A-Z0-9]{50,}|EAA[A-Za-z0-9]{60,}|[0-9]{8,10}:AA[\w-]{33})"
        ),
        source="formats published by the issuers",
        check=lambda match: len(set(match["value"])) >= 8,
    ),
    Detector(
        name="jwt",
        category="secret.token",
        pattern=rx(r"(?P<value>\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"),
        source="RFC 7519",
    ),
    Detector(
        name="bearer",
        category="secret.token",
        pattern=rx(
            r"(?i)\b(?:bearer|basic|authorization: *token)\s+(?P<value>(?=[\w.~+/=-]{0,60}[0-9])[\w.~+/=-]{16,1000})"
        ),
        source="RFC 6750, RFC 7617",
        check=_bearer,
    ),
    Detector(
        name="connection_string",
        category="secret.connection_string",
        pattern=rx(
            r"(?P<value>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"<>]{0,80}:(?P<password>(?![<${*])[^\s/@'\"<>]{3,120})@[\w.-]{1,200})"
        ),
        source="RFC 3986, userinfo",
        check=_connection,
    ),
    Detector(
        name="assignment",
        category="secret.password",
        pattern=rx(
            rf"(?i)(?:{_KEY_WORDS})[\w\-\]]{{0,24}}[\"'`]{{0,2}}(?:\s{{0,3}}(?::=|=>|[:=]|>(?=[^\s<>]{{6}}))|,?\s(?:is|es|was|era|(?:del?|para|of|for)(?:\s[^\s]{{1,20}}){{1,3}}\s(?:es|is))(?=\s)|\s?→)\s{{0,3}}"
            r"\\?(?P<quote>[\"'`«“]?)(?P<value>[^\s\"'`<>]{6,200})"
        ),
        source="a word for a secret, a sign of assignment, a value that is no placeholder",
        check=_assigned,
        confidence=0.8,
    ),
    Detector(
        name="command_password",
        category="secret.password",
        pattern=rx(
            r"(?i)(?:\bcurl\b[^\n]{0,100}?\s(?:-u|--user)[ =]?['\"]?[^\s:'\"]{1,60}:|\bsshpass\s{1,3}-p\s{0,2}['\"]?|\bmysql[a-z]{0,8}\b[^\n]{0,80}?\s-p)(?P<value>[^\s'\"]{6,200})"
        ),
        source="options of curl, sshpass and mysql that hold a password",
        check=lambda match: not _PLACEHOLDER.match(match["value"]) and _kinds(match["value"])[2],
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="random_base64",
        category="secret.shaped",
        pattern=rx(r"(?<![\w/+=.,-])(?P<value>[A-Za-z0-9+/]{32,100}={0,2})(?![\w/+=-])"),
        source="base64 of random bytes: length, changes of kind, entropy; not base64 of text, not a hash by its name",
        check=_random_base64,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="pin",
        category="secret.password",
        pattern=rx(
            r"(?i)\bpin\b(?:\s(?:de|of|for)\s[^\n:]{1,30}?)?\s{0,2}(?:is|es|:|=)\s{0,2}(?P<value>[0-9]{4,8})(?![0-9.,])"
        ),
        source="a number behind the word PIN",
        hint=("pin",),
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="random_string",
        category="secret.shaped",
        pattern=rx(r"(?<![\w/+=.-])(?P<value>[A-Za-z0-9_-]{16,120}={0,2})(?![\w/+-])"),
        source="length, mixed kinds of characters, entropy; a word for a secret near it lowers the bar",
        check=_random,
        confidence=0.6,
        joins=False,
    ),
)
