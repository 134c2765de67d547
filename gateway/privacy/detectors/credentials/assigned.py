"""Secrets by their issuers' formats, and by the words and signs before them. Pure data and predicates."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from re import Match

from gateway.privacy.detectors.credentials.names import is_generated, is_named_otherwise
from gateway.privacy.detectors.credentials.placeholders import is_placeholder
from gateway.privacy.detectors.detector import Detector, entropy, is_version, rx
from gateway.privacy.detectors.high_entropy import kinds, lawless, transitions
from gateway.privacy.patterns import late

_PATH = late(r"[A-Za-z_]\w*(?:(?:\.|::|->|/|-)\w+)*[,;:]?\Z|.*[()\[\]{}].*|https?:.*|[a-z_]+=.*|/[\w./-]*|\\.*")
_CALL = late(r"[A-Za-z_][\w.]*[(\[]")
_ATTRIBUTE = late(r"[A-Za-z_]\w{0,15}(?:\.[A-Za-z_]\w{0,15})+")
_KEY_WORDS = (
    r"pass(?:word|wd|phrase|code)?|pwd|contrase.{1,2}as?|clave|secret|token|api[_\- ]?key|access[_\- ]?key(?:[_\- ]?id)?|"
    r"(?:auth|private|encryption|signing|account|shared|master|session|app|application|service|licen[cs]e|deploy|storage|pre-?shared|private-?)[_\- ]?key|"
    r"client[_\- ]?secret|credentials?|secreto|credencial(?:es)?|psk|wpa[_-]?pass\w*"
)


_RESOURCE = late(
    r"\barn:aws[a-z-]{0,8}:(?:(?:secretsmanager|ssm|kms):(?:[a-z0-9-]*:(?:[0-9*]*:(?:[\w/*-]*:?)?)?)?)?\Z"
)  # the name of a secret in a service that keeps it
_OF = r"(?:del?|para|of|for|on|to|en)"


def _assigned(match: Match[str]) -> bool:
    """Tell whether somebody would type or generate such a value; not an identifier, path, type or placeholder."""
    value = match["value"].rstrip(".,;:)\"'")
    if "[" not in value and "{" not in value:
        value = value.rstrip("]}.,;:)")  # closed around it, as a list that was read as bytes is
    if len(value) < 6 or is_placeholder(value) or len(set(value)) < 4:
        return False
    start = match.start("value")
    if is_version(match.string, start, start + len(value)) or _RESOURCE.search(
        match.string, max(0, start - 100), start
    ):
        return False
    if is_named_otherwise(match.string, match.start(), match.start("sign"), start, value):
        return False
    lower, upper, digit, special = kinds(value)
    quoted = match["quote"] != ""
    if not quoted and (_CALL.match(value) or _ATTRIBUTE.fullmatch(value)) and not is_generated(value):
        return False
    if _PASSWORD.match(match[0]) and _PLAIN.fullmatch(value):
        return True
    if not quoted and _PATH.match(value) and not ((digit and _broken_up(value)) or lawless(value)):
        return False
    if not digit and lawless(value):
        return True
    if (
        quoted
        and lower
        and upper
        and digit
        and len(value) >= 30
        and len(set(value)) >= 18
        and transitions(value) >= 0.4
    ):
        return True  # as frameworks generate them, with brackets and all
    if (
        quoted
        and not is_generated(value)
        and re.fullmatch(r"[A-Za-z_-]+|/?[a-z0-9_]+(?:[.:/-][a-z_][a-z0-9_]*)+|.*[\s(){}].*", value)
    ):
        return False
    if (lower or upper) and digit:
        return entropy(value) >= 2.3
    return special and (lower or upper) and quoted and entropy(value) >= 2.5 and not re.fullmatch(r"[\w/.:@-]+", value)


def _broken_up(value: str) -> bool:
    """Tell whether digits and letters mix as in no identifier, or as in a natural password: letters, then digits."""
    return bool(
        (
            re.fullmatch(r"[A-Za-z0-9]+[.!]?", value)
            and not re.fullmatch(r"(?:sha|md|utf|base|v|rsa|aes|int|str|h|x|rfc)_?[0-9]+.*", value, re.I)
        )
        or transitions(value) >= 0.3
    )


_PASSWORD = late(r"(?i)pass(?:word|wd|phrase)|pwd|contrase|clave")
_PLAIN = late(r"[A-Za-z]{4,12}[-_.][0-9]{3,4}[!#$*@?]?")


def _bearer(match: Match[str]) -> bool:
    value = match["value"]
    return entropy(value) >= 3.0 and not is_placeholder(value)


def _connection(match: Match[str]) -> bool:
    return not is_placeholder(match["password"]) and match["password"].lower() not in ("pass", "pwd", "password")


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
            r"[a-f0-9]{32}-us[0-9]{1,2}(?![0-9])|NRAK-[A-Z0-9]{27}|tk_[a-z0-9]{29}|sntry[su]_[A-Za-z0-9+/=_-]{40,}|sbp_[a-f0-9]{40}|pat[A-Za-z0-9]{14}\.[a-f0-9]{64}|"
            r"hv[sbr]\.[\w-]{24,}|gl(?:sa|c|rt|dt|ptt|ft|oas|soat|agent|cbt|imt)[_-][\w=-]{20,}|dt0[a-z][0-9]{2}\.[A-Z2-7]{24}\.[A-Z2-7]{64}|dp\.(?:pt|ct|sa|st|scim|audit)\.[\w.-]{40,}|"
            r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32,}|fig[dou]_[\w-]{40,}|AT(?:AT|CT|BB)[A-Za-z0-9]{4,}[\w=-]{20,}|ops_eyJ[\w-]{40,}|rubygems_[a-f0-9]{48}|CFPAT-[\w-]{43}|"
            r"xkeysib-[a-f0-9]{64}-\w{16}|xsmtpsib-[a-f0-9]{64}-\w{16}|nvapi-[\w-]{40,}|tvly-[\w-]{24,}|lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}|pcsk_\w{40,}|ph[xc]_\w{40,}|jina_\w{40,}|e2b_[a-f0-9]{40}|"
            r"rnd_\w{28,}|bk(?:ua|ct)_[a-f0-9]{40}|CCIPAT_\w{20,}_[a-f0-9]{40}|dckr_oat_[\w-]{20,}|LTAI[A-Za-z0-9]{16,24}|EZ(?:AK|TK)[A-Za-z0-9]{54}|duffel_(?:live|test)_[\w=-]{43}|"
            r"shippo_(?:live|test)_[a-f0-9]{40}|sk\.eyJ[\w-]{20,}\.[\w-]{20,}|ve?rcel_[A-Za-z0-9]{24,}|sgp_(?:[a-f0-9]{16}_)?[a-f0-9]{40}|napi_[a-z0-9]{60,}|aio_[A-Za-z0-9]{28}|"
            r"1000\.[a-f0-9]{32}\.[a-f0-9]{32}|fo1_[\w-]{43}|adu_[A-Za-z0-9]{36}|fm[12][ar]?_[A-Za-z0-9+/=,_-]{60,}|AGE-SECRET-KEY-1[A-Z0-9]{50,}|EAA[A-Za-z0-9]{60,}|[0-9]{8,10}:AA[\w-]{33})"
        ),
        source="formats published by the issuers",
        check=lambda match: len(set(match["value"])) >= 8 and len(set(match["value"][-12:])) >= 4,
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
            rf"(?i)(?:{_KEY_WORDS})[\w\-\]]{{0,24}}[\"'`]{{0,2}}\]?(?P<sign>\s{{0,3}}(?::=|=>|[:=]|>(?=[^\s<>]{{6}}))|(?:\sstring)?\s=|,?\s(?:is|es|was|era|{_OF}(?:\s[^\s:]{{1,20}}){{1,3}}(?:\s(?:es|is)|:|\s=))(?=\s)|\s?→)\s{{0,3}}"
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
            r"(?i)(?:\bcurl\b[^\n]{0,100}?\s(?:-u|--user)[ =]?['\"]?[^\s:'\"]{1,60}:|\bsshpass\s{1,3}-p\s{0,2}['\"]?|\bmysql[a-z]{0,8}\b[^\n]{0,80}?\s-p['\"]?)(?P<value>[^\s'\"]{6,200})"
        ),
        source="options of curl, sshpass and mysql that hold a password",
        check=lambda match: not is_placeholder(match["value"]) and kinds(match["value"])[2],
        confidence=0.8,
        joins=False,
    ),
)
