"""Encoded pieces inside a text: base64, base32, base85, hexadecimal, and what is packed inside. Pure, bounded.

INVARIANT: a piece is read, or it is a doubt.
"""

import base64
import binascii
from collections.abc import Iterator
from re import Match

from gateway.privacy.decoding.budget import UNREADABLE, Decoding
from gateway.privacy.decoding.charsets import printable_runs
from gateway.privacy.decoding.contents import said
from gateway.privacy.decoding.public_bytes import DIGESTS
from gateway.privacy.patterns import late

BLOB = late(
    r"(?<![A-Za-z0-9+/_-])(?:"
    r"(?:\\x|0x)?[0-9A-Fa-f]{2}(?:(?:[\s:,-]|\\x|,\s{0,20}0x)[0-9A-Fa-f]{2}){7,16384}(?![A-Za-z0-9])"
    r"|[A-Za-z0-9+/_-]{10,}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{4,}){0,20000}"
    r"(?:\r?\n[ \t]*(?:[A-Za-z0-9+/_-]{2}==|[A-Za-z0-9+/_-]{3}=)|={0,6}))"
)
_BYTE = late(r"(?:0x|\\x)?([0-9A-Fa-f]{2})")
_HEX = late(r"(?:0x)?((?:[0-9A-Fa-f]{2})+)\Z")
_PAIRS = late(r"(?:\\x|0x)?[0-9A-Fa-f]{2}(?:[\s:,-]|\\x|,\s{0,20}0x)")
_BASE32 = late(r"(?:[A-Z2-7]{14,}|[a-z2-7]{14,})\Z")
_LETTERS58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58 = late(r"[1-9A-HJ-NP-Za-km-z]{10,90}\Z")
GROUPS = late(
    r"(?<![^\s\"'`:=])[A-Za-z0-9+/]{3,8}(?: [A-Za-z0-9+/]{3,8}){2,40}(?: [A-Za-z0-9+/]{1,7}={0,2})?(?![^\s\"'`.,])"
)
GROUPS_TRIGGER = r"[a-z][A-Z0-9][A-Za-z0-9+/]{0,6} [A-Za-z0-9+/]{3,8} [A-Za-z0-9+/]{3}"
_BLANKS = late(r"\s+")
_JOINTS = late(r"[/_+-]")
_PART = late(r"[A-Za-z0-9]{12,}")
_STANDARD = str.maketrans("-_", "+/")
_LEAST = 36  # bytes from which a piece that nobody can read is a doubt; shorter ones are ids
DOUBTFUL = _LEAST * 4 // 3  # characters from which a piece can be a doubt
_VARIED = 16  # different bytes: what repeats a few is a pattern, a ruler, or nothing
_WORDS = late(r"[a-z]{4,}")
_KINDS = str.maketrans(
    "".join(map(chr, range(128))),
    "".join(
        "d" if chr(c).isdigit() else "u" if chr(c).isupper() else "l" if chr(c).islower() else "-" for c in range(128)
    ),
)
_CHANGE = late(r"(?=ul|lu|ud|du|ld|dl|-[uld]|[uld]-)")
_HASH_NAME = late(r"(?:sha|md)[0-9]{1,3}[-_]")


def unblob(found: str, decoding: Decoding, *, whole: bool = True) -> str:
    """Return what the piece says, or the piece itself where it says nothing readable.

    A piece that is not `whole` (an escape stands beside it) is no doubt: another view has all of it.
    """
    if len(found) < 16 and found.isdecimal():
        return found
    for data in _candidates(found):
        text = said(data, decoding)
        if text is not None:
            return text
    paragraphs = _paragraphs(found) if "\n" in found else [found]
    if len(paragraphs) > 1:
        return "\n".join(unblob(piece, decoding, whole=whole) for piece in paragraphs)
    unreadable = _unreadable(found)
    if unreadable is not None and len(set(unreadable)) >= _VARIED:
        if not whole:
            return found
        decoding.doubt(UNREADABLE)
        return printable_runs(unreadable) or found
    if "\n" in found:
        return "\n".join(unblob(line, decoding, whole=whole) for line in found.split("\n"))
    parts = _PART.findall(found) if _JOINTS.search(found) else []
    return _PART.sub(lambda match: _part(match[0], decoding), found) if parts else found


def ungroup(match: Match[str], decoding: Decoding) -> str:
    """Return what groups of equal width say together, or the groups: words of one length are no encoding."""
    groups = match[0].split(" ")
    width = len(groups[0])
    first = next((at for at, group in enumerate(groups) if len(group) != width), len(groups))
    if first < len(groups) - 1 or len(groups[-1]) > width:
        return match[0]
    joined = "".join(groups)
    if joined.islower() or joined.isupper() or joined.isdecimal() or not any(map(str.isdecimal, joined)):
        return match[0]
    return unblob(joined, decoding, whole=False)


def _paragraphs(found: str) -> list[str]:
    """Return lines as a program broke them: together while each is as long as the first, and one that is shorter."""
    groups: list[list[str]] = []
    for line in found.split("\n"):
        last = groups[-1] if groups else [""]
        width = len(last[0].strip())
        goes_on = len(line.strip()) <= width == len(last[-1].strip()) and "--" not in last[-1] and "--" not in line
        goes_on = goes_on and not (_is_hex(last[-1]) and not _is_hex(line))
        if groups and goes_on:
            last.append(line)
        else:
            groups.append([line])
    return ["\n".join(lines) for lines in groups]


def _is_hex(line: str) -> bool:
    return _HEX.match(line.strip().replace("-", "")) is not None


def _part(found: str, decoding: Decoding) -> str:
    if _plainly_nothing(found):
        return found
    for data in _candidates(found):
        text = said(data, decoding)
        if text is not None:
            return text
    return found


def _plainly_nothing(piece: str) -> bool:
    """Tell whether letters and digits that are no hexadecimal surely say nothing, from the first bytes they stand for.

    Most of what looks like base64 is names in code, or bytes: both are passed by without a closer look.
    """
    head = piece[:16]
    if _HEX.match(head) or _BASE32.match(piece):
        return False
    if len(piece) < 24 and piece.islower():
        return True
    try:
        data = binascii.a2b_base64(head[: len(head) & ~3])
    except binascii.Error:
        return False
    if data[:1] in b"\x1f\x78\xff" or 0 in data[:4]:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start < len(data) - 3
    return False


def _candidates(found: str) -> Iterator[bytes]:
    if _PAIRS.match(found) and not _HEX.match(found):
        yield bytes.fromhex("".join(_BYTE.findall(found)))
        return
    plain = found if found.isalnum() else _BLANKS.sub("", found)
    digits = _HEX.match(plain)
    if digits is not None and len(digits[1]) >= 16:
        yield bytes.fromhex(digits[1])
    bare = plain.rstrip("=")
    if _BASE32.match(bare):
        yield from _base32(bare)
    if len(plain) < 24 and (plain.islower() or plain.isdecimal()):
        return
    data = _base64(bare)
    if data is not None:
        yield data
    if _BASE58.match(plain) and not plain.islower() and not plain.isupper():
        yield _base58(plain)


def _base32(bare: str) -> Iterator[bytes]:
    usable = bare.upper()
    usable = usable[: len(usable) - (1 if len(usable) % 8 in (1, 3, 6) else 0)]
    try:
        yield base64.b32decode(usable + "=" * (-len(usable) % 8))
    except binascii.Error:
        return


def _base58(plain: str) -> bytes:
    """Return the bytes that a number in Bitcoin's alphabet of 58 letters and digits stands for."""
    number = 0
    for letter in plain:
        number = number * 58 + _LETTERS58.index(letter)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _base64(bare: str) -> bytes | None:
    usable = bare.translate(_STANDARD)
    usable = usable[: len(usable) - (len(usable) % 4 == 1)]
    try:
        return base64.b64decode(usable + "=" * (-len(usable) % 4))
    except binascii.Error:
        return None


def _unreadable(found: str) -> bytes | None:
    """Return the bytes of a piece that surely is an encoding and long enough to say something; None: it is not.

    Names in code, paths, numbers and words have long runs of one kind of letter; digests have the length of digests.
    """
    if len(found) < DOUBTFUL:
        return None
    if _PAIRS.match(found) and not _HEX.match(found):
        return _bytes_of_code(bytes.fromhex("".join(_BYTE.findall(found))))
    plain = _BLANKS.sub("", found).rstrip("=")
    digits = _HEX.match(plain)
    if digits is not None:
        said_in = digits[1]
        mixed = not said_in.isdecimal() and not said_in.isalpha() and (said_in.islower() or said_in.isupper())
        data = bytes.fromhex(said_in)
        return data if mixed and len(data) >= _LEAST and len(data) not in DIGESTS else None
    if _BASE32.match(plain) and len(plain) >= 64:
        several = len(set(plain)) >= 16 and sum(map(str.isdigit, plain)) * 16 >= len(plain)
        data = next(_base32(plain), b"") if several else b""
        return data if data and len(data) not in DIGESTS else None
    named = _HASH_NAME.match(plain)
    plain = plain[named.end() :] if named is not None else plain
    if not looks_random(plain):
        return None
    decoded = _base64(plain) or b""
    digest = len(decoded) in DIGESTS or (named is not None and len(decoded) <= max(DIGESTS))
    return decoded if len(decoded) >= _LEAST and not digest else None


def _bytes_of_code(data: bytes) -> bytes | None:
    """Return bytes that were written one by one, if there are many and they are as mixed as packed ones."""
    return data if len(data) >= 64 and len(data) not in DIGESTS and _mixed(data) else None


def _mixed(data: bytes) -> bool:
    high = sum(byte > 127 for byte in data)
    return 3 * len(data) <= 10 * high <= 7 * len(data) and 2 * len(set(data)) >= min(len(data), 256)


def looks_random(plain: str) -> bool:
    """Tell whether letters and digits stand as in base64 of bytes: kinds mixed, and hardly any words."""
    if plain.islower() or plain.isupper() or not any(map(str.isdigit, plain)):
        return False
    if not (any(map(str.isupper, plain)) and any(map(str.islower, plain))):
        return False
    if 10 * sum(map(len, _WORDS.findall(plain))) > 3 * len(plain):
        return False
    if len(plain) >= 200:
        return True
    return len(_CHANGE.findall(plain.translate(_KINDS))) >= 0.42 * len(plain)
