"""What random strings look like, whoever issued them: changes of kind, entropy, letters as no word has them. Pure.

Also what looks like one and is nobody's secret: hashes, certificates, public keys, pictures, the names that APIs give
to their objects.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from operator import ne
from re import Match

from gateway.privacy.decoding.blobs import unblob
from gateway.privacy.decoding.budget import Unlimited
from gateway.privacy.detectors.detector import Detector, entropy, near, rx, words
from gateway.privacy.patterns import late

_HASHED = words(
    r"sha-?\d|sha\b|md5|hash|digest|checksum|\bcommit\b|uuid|guid|etag|integrity|fingerprint|revision|blob|\btree\b|\bnonce|"
    r"boundary|message-id|huella|resumen|\bh1:"
)
_SECRET_WORDS = words(
    r"key\b|api.?key|_key|token|secret|secreto|clave|contrase|password|passwd|pwd|credential|credencial|auth|bearer|acceso|access|"
    r"\bpat\b|licen[cs]|llave|webhook|sign(?:ing|ature)|\bpass\b"
)
_PREFIX = late(r"(?:[A-Za-z]{2,12}[_-]){1,3}")
_KEY_PREFIX = late(r"(?i)(?:^|[_-])(?:live|test|prod|key|tok|token|secret|sec|api|sk|pk|pat)[_-]")
_API_ID = late(
    r"[a-z]{2,12}_01[1-9A-HJ-NP-Za-km-z]{20,26}\Z|(?:call|toolu|tooluse|chatcmpl|cmpl|msg|resp|rs|fc|ctc|run|thread|asst|step|file|req|batch|vs|vsfc|conv|item|evt|ftjob|gen|cus|ch|pi|pm|sub|in|price|prod|acct|txn|si|cs)[_-][0-9A-Za-z]"
)  # what OpenAI's, Anthropic's and Stripe's APIs call their objects: the tool calls of every conversation have them
_UUID = late(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_ALONE = Unlimited()  # values are short: reading them is not charged
_SMALL, _CAPITAL = frozenset("abcdefghijklmnopqrstuvwxyz"), frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGIT, _SIGN = frozenset("0123456789"), frozenset("!@#$%^&*+=?~|/¡¿")


def kinds(value: str) -> tuple[bool, bool, bool, bool]:
    """Tell whether a value has small letters, capitals, digits and signs, in this order."""
    characters = set(value)
    return (
        not _SMALL.isdisjoint(characters),
        not _CAPITAL.isdisjoint(characters),
        not _DIGIT.isdisjoint(characters),
        not _SIGN.isdisjoint(characters),
    )


_PARTS = late(r"[A-Za-z]{8,}")
_VOWELS = frozenset("aeiouAEIOU")


def lawless(value: str) -> bool:
    """Tell whether letters stand as in no word or name in code: capitals anywhere, or a long run with few vowels."""
    longest = max(_PARTS.findall(value), key=len, default="")
    if len(longest) < 8:
        return False
    if longest.isupper() or longest.islower():
        return len(longest) >= 16 and 4 * sum(letter in _VOWELS for letter in longest) < len(longest)
    humps = len(re.findall(r"[A-Z]{0,4}[a-z]{2,}", longest))
    return (
        transitions(longest) >= 0.45
        and 5 * humps < 2 * len(longest)
        and not re.fullmatch(r"(?:[A-Z]?[a-z]{2,})+", longest)
    )


_KIND_OF = {
    code: "d" if chr(code).isdigit() else "u" if chr(code).isupper() else "l" if chr(code).islower() else "-"
    for code in range(128)
}


_WORDS = late(r"[A-Z][a-z]{2,}|[a-z]{3,}")
_NUMBERS = late(r"[0-9]+")
_MANY_NUMBERS = 3
_CATEGORY = "secret.shaped"
_NAME_IN_CODE = 1.5  # words that make up two thirds: a name, however often its kinds of characters change


def of_words(value: str, times: float, *, beside_secret: bool = False) -> bool:
    """Tell whether it is a name in code: words make up much of it, its length divided by `times`.

    Beside a word for a secret a name with numbers in three places is none: people make passwords of words and numbers.
    """
    if beside_secret and len(_NUMBERS.findall(value)) >= _MANY_NUMBERS:
        return False
    return times * sum(map(len, _WORDS.findall(value))) >= len(value)


def is_turned_name(category: str, value: str) -> bool:
    """Tell whether what looks random is a name in code that was turned around with the text that speaks of mirrors."""
    return category == _CATEGORY and of_words(value[::-1], _NAME_IN_CODE)


_PUBLIC = late(
    r"(?:ssh-[a-z0-9-]{3,20}|ecdsa-sha2-[a-z0-9-]{5,20}|;base64,|publickey[\"']?\s?[:=])\s?\Z", re.IGNORECASE
)
_PUBLIC_FORM = late(r"AAAA[BCE][23]N[hjz]|iVBORw0KGgo|/9j/[24]|R0lGOD|UklGR|JVBERi|Qk[0-9]|AAAB|T2dnUw|d09G")
# A view may begin in the middle of a block, whose beginning is then out of sight.
_REST = late(
    r"[A-Za-z0-9+/=\s]*-----END (?:[A-Z0-9 ]{1,30} )?(?:CERTIFICATE|PUBLIC KEY(?: BLOCK)?|REQUEST|CRL|SIGNATURE)-----"
)
_GO_SUM = late(r"\bh1:\Z")  # the sum of a module in go.sum, whatever the module's name
_BLOCK = late(r"-----(BEGIN|END) ([A-Z0-9 ]{3,40})-----")


def _public(match: Match[str]) -> bool:
    """Tell whether it is part of a certificate, a public key or a picture.

    By its own beginning, the word before it, or the block around it.
    """
    text, start = match.string, match.start("value")
    if _PUBLIC_FORM.match(match["value"]) or _PUBLIC.search(text, max(0, start - 40), start):
        return True
    opened = text.rfind("-----BEGIN ", max(0, start - 8_000), start)
    block = _BLOCK.match(text, opened) if opened >= 0 else None
    if block is None:
        rest = _REST.match(text, 0, 8_000) if opened < 0 else None
        return rest is not None and match.end("value") <= rest.end()
    if "PRIVATE" in block[2]:
        return False
    return block[2].endswith(("CERTIFICATE", "PUBLIC KEY", "PUBLIC KEY BLOCK", "REQUEST", "CRL", "SIGNATURE", "PARAMETERS")) and "-----END" not in text[block.end() : start]  # fmt: skip


def transitions(value: str) -> float:
    """Return how often the kind of character changes, 0 to 1: random strings change all the time, names seldom."""
    kinds = value.translate(_KIND_OF)
    changes: int = sum(map(ne, kinds, kinds[1:]))
    return changes / max(1, len(value) - 1)


def _written(match: Match[str]) -> str:
    """Return the value without the letter of a line break that JSON writes before it, which is no part of it."""
    value, start = match["value"], match.start("value")
    return value[1:] if value[0] in "nrt" and match.string[start - 1 : start] == "\\" else value


def _random(match: Match[str]) -> bool:
    """Tell whether it is long and mixed, as vendors make keys; not a hash, an identifier in code or base64 of text."""
    value = _written(match).strip("-_=")
    lower, upper, digit, _ = kinds(value)
    if (
        len(value) < 16
        or _API_ID.match(value)
        or not (digit or lawless(value))
        or not (lower or upper)
        or _UUID.match(value)
        or near(match, _HASHED, 32, 0)
    ):
        return False
    if _public(match):
        return False
    context = near(match, _SECRET_WORDS, 40, 0)
    if re.fullmatch(r"(?:0x)?[0-9a-fA-F]+[uUlL]{0,3}", value):
        return context and len(value) >= 32 and entropy(value) >= 3.0
    prefix = _PREFIX.match(value)
    if (
        prefix is not None
        and len(value) - prefix.end() >= 16
        and (any(c.isdigit() for c in value[prefix.end() :]) or lawless(value[prefix.end() :]))
    ):
        value = value[prefix.end() :]
        context = context or _KEY_PREFIX.search(prefix[0]) is not None
        if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", value):
            return context and len(value) >= 32
    body = value.replace("-", "").replace("_", "")
    changes = transitions(body)
    if changes < (0.2 if context else 0.3):
        return False
    if unblob(value, _ALONE) != value or of_words(value, 2 if changes < 0.42 else _NAME_IN_CODE, beside_secret=context):
        return False
    if context:
        return entropy(value) >= 3.0
    if len(value) < 20 or len(body) < len(value) * 0.85 or of_words(value, 1.67):
        return False
    if lower and upper:
        return changes >= (0.4 if len(value) < 28 else 0.35) and entropy(value) >= 3.6
    numbers = sum(c.isdigit() for c in body)
    return len(body) >= 24 and body == value and numbers >= 5 and entropy(value) >= 3.6


def _random_base64(match: Match[str]) -> bool:
    written = _written(match)
    value = written.rstrip("=")
    if not ("+" in value or "/" in value) or not all(kinds(value)[:3]) or near(match, _HASHED, 32, 0):
        return False
    if _public(match) or _GO_SUM.search(match.string, max(0, match.start("value") - 4), match.start("value")):
        return False
    bar = 0.35 if near(match, _SECRET_WORDS, 40, 0) else 0.45
    if max(map(len, re.findall(r"[a-z]+", value)), default=0) > 8 or transitions(value) < bar:
        return False
    return entropy(value) >= 4.2 and unblob(written, _ALONE) == written


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="random_base64",
        category=_CATEGORY,
        pattern=rx(r"(?<![\w/+=.,-])(?P<value>[A-Za-z0-9+/]{32,100}={0,2})(?![\w/+=-])"),
        source="base64 of random bytes: length, changes of kind, entropy; not base64 of text, not a hash by its name",
        check=_random_base64,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="random_string",
        category=_CATEGORY,
        pattern=rx(r"(?<![\w/+=.-])(?P<value>[A-Za-z0-9_-]{16,120}={0,2})(?![\w/+-])"),
        source="length, mixed kinds of characters, entropy; a word for a secret near it lowers the bar",
        check=_random,
        confidence=0.6,
        joins=False,
    ),
)
