"""E-mail: all headers, all texts, and every attachment by its own kind. See RFC 5322 and RFC 2045 to 2049."""

import base64
import binascii
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from gateway.attachments.worker.charset import decoded
from gateway.attachments.worker.parts import Budget, Inside, Parts, Reason, Unread
from gateway.core.attachment import Piece

_MAILBOX = re.compile(rb"^From [^\r\n]*\d{4}[ \t]*\r?\n", re.MULTILINE)
_SEALED = re.compile(r"multipart/encrypted|application/(?:x-)?pkcs7-mime")
_PACKED = frozenset({"x-uuencode", "uuencode", "uue", "x-uue"})
_PADDING = re.compile(r"=[=\s]*")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_PGP = "-----BEGIN PGP MESSAGE-----"
_MOST_MESSAGES = 1000


def read(data: bytes, budget: Budget) -> Parts:
    """Yield headers, texts and attachments of a message, or of each message of a mailbox."""
    starts = [found.start() for found in _MAILBOX.finditer(data)]
    if len(starts) < 2:
        yield from _message(message_from_bytes(data), budget)
        return
    if len(starts) > _MOST_MESSAGES:
        yield Unread(reason=Reason.TOO_LARGE)
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(data)], strict=True), 1):
        if number <= _MOST_MESSAGES:
            yield Inside(place=f"message {number}", data=data[start:end])


def _message(message: Message, budget: Budget) -> Parts:
    headers: list[str] = []
    attachments = 0
    for part in message.walk():
        budget.time()
        headers += _headers(part)
        if _SEALED.match(part.get_content_type()):
            yield Unread(reason=Reason.ENCRYPTED)
        if part.defects:
            yield Unread(reason=Reason.BROKEN)
        for aside in (part.preamble, part.epilogue):
            if aside and aside.strip():
                yield Piece(place="between parts", text=aside)
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        if not _wholly_decoded(part):
            yield Unread(reason=Reason.BROKEN)
            yield from _raw(part)
            if _encoding(part) == "base64":
                content = _before_padding(str(part.get_payload()))
        if not isinstance(content, bytes) or not content.strip():
            continue
        if part.get_content_maintype() == "text" and not _attached(part):
            yield from _text(part, content)
        else:
            attachments += 1
            yield Inside(place=f"attachment {attachments}", data=content, name=_decoded(part.get_filename() or ""))
    if headers:
        yield Piece(place="headers", text="\n".join(headers))


def _wholly_decoded(part: Message) -> bool:
    """Say whether decoding leaves nothing of a part out: it skips what stands behind the end of base64."""
    encoding = _encoding(part)
    if encoding != "base64":
        return encoding not in _PACKED
    try:
        base64.b64decode("".join(str(part.get_payload()).split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _encoding(part: Message) -> str:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower()


def _before_padding(text: str) -> bytes:
    """Return what base64 says up to its end. Python's own decoder goes on behind it in some versions, in others not."""
    letters, at = "", 0
    for padding in _PADDING.finditer(text):
        letters += _NOT_BASE64.sub("", text[at : padding.start()])
        at = padding.end()
        if len(letters) % 4 >= 2 and len(letters) % 4 + padding.group().count("=") >= 4:
            break
    else:
        letters += _NOT_BASE64.sub("", text[at:])
    usable = letters[: len(letters) - (len(letters) % 4 == 1)]
    return base64.b64decode(usable + "=" * (-len(usable) % 4))


def _raw(part: Message) -> Iterator[Piece]:
    """Yield a part as it stands."""
    payload = part.get_payload()
    if isinstance(payload, str) and payload.strip():
        yield Piece(place="as it stands", text=payload)


def _attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _headers(part: Message) -> Iterator[str]:
    """Yield each header, with encoded words as text."""
    for name, value in part.items():
        yield f"{name}: {_decoded(str(value))}"
    names = {part.get_filename(), part.get_param("name")} - {None}
    yield from (_decoded(str(name)) for name in names)


def _decoded(value: str) -> str:
    """Return a header's text; what breaks the rules of encoded words is left as it stands."""
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value


def _text(part: Message, content: bytes) -> Parts:
    """Yield a text in the encoding that its header says, or in the one that it is in."""
    text: str | None = None
    try:
        text = content.decode(part.get_content_charset("utf-8"))
    except (LookupError, UnicodeError):
        guessed = decoded(content)
        if guessed is None:
            yield Unread(reason=Reason.UNKNOWN_KIND)
            return
        text = guessed.text
        if not guessed.sure or part.get_content_charset() is not None:
            yield Unread(reason=Reason.ENCODING)
    if _PGP in text:
        yield Unread(reason=Reason.ENCRYPTED)
    if part.get_content_subtype() == "plain":
        yield Piece(place="", text=text)
    else:
        yield Inside(place="", data=text.encode("utf-8", "replace"))
