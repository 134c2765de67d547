"""The most that a request can use, for the money that is set aside before it is sent.

INVARIANT: it is an upper bound for what people and programs write; what a provider counts is settled later, and less.
"""

import re

from gateway.core.document import encode
from gateway.core.request import (
    AnyMediaRequest,
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    ImagesRequest,
    SpeechRequest,
    TranscriptionRequest,
)
from gateway.core.usage import MostUse, Usage
from gateway.upstream.media.transcripts import likely_seconds

_MESSAGE_TOKENS = 8  # what a chat template adds to each message, with room
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_BLANK = b" \t\r\n"
_ASCII = bytes(range(128))
_TWO = bytes(range(0xC2, 0xE0))  # first bytes of characters of two, three and four bytes in UTF-8
_THREE = bytes(range(0xE0, 0xF0))
_RARE = b"\xe1"  # of three bytes as well: Ethiopic, Khmer, Georgian and others, which vocabularies hardly have
_FOUR = bytes(range(0xF0, 0xF5))
# Base64 of a picture, a recording or a file: it is not read as text, wherever its field is called `url` or `data`.
_MEDIA = re.compile(rb'"(?:data:[^"]{64,}|[A-Za-z0-9+/=_-]{1024,})"')
_LEAST_BYTES_A_SECOND = 500  # 4 kbit/s, below what any codec for speech in use needs
_TOKENS_A_CHARACTER = 4  # of sound that is generated: about 1.5 are usual
_MEDIA_BYTES = 16  # of a recording or a file, base64, for one token: spoken minutes and pages of text stay below


class _Runs:
    """Search for runs of so many letters of a kind, or more: a fifth of what `[…]{n,}` takes."""

    def __init__(self, letters: bytes, fewest: int) -> None:
        self._marks = bytes(ord("a") if letter in letters else ord(" ") for letter in range(256))
        # Written out, so that the search skips to where it can begin; each run is found whole.
        self._run = re.compile(b"a" * fewest + b"a*")

    def letters(self, content: bytes) -> int:
        """Return how many letters all such runs have together."""
        return sum(map(len, self._run.findall(content.translate(self._marks))))


_LONG_WORDS = _Runs(_LOWER, 13)
_KNOTS = _Runs(_LOWER + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_-", 40)


def most_use(request: AnyRequest) -> MostUse:
    """Return the most tokens of all prompts together, how many answers are asked for, and how long each may be.

    Counted over the whole document: tools, schemas and unknown fields are a part of what is sent.
    """
    content = encode(request.document)
    pictures = media = 0
    if request.media:
        found = _MEDIA.findall(content)
        content = _MEDIA.sub(b'""', content)
        heard = [one for one in found if not one.startswith(b'"data:image/')]
        media = sum(map(len, heard)) // _MEDIA_BYTES
        pictures = max(len(found), content.count(b'"image_url":'), len(request.media))
    prompt = most_tokens(content) + media
    match request:
        case ChatRequest():
            return MostUse(
                prompt=prompt + _MESSAGE_TOKENS * len(request.messages),
                answers=max(1, request.sampling.n),
                limit=request.sampling.max_tokens,
                pictures=pictures,
            )
        case CompletionRequest():
            answers = max(1, request.sampling.n) * len(request.prompts)  # `best_of` is `n`, or was refused
            return MostUse(prompt=prompt, answers=answers, limit=request.sampling.max_tokens)
        case ImagesRequest():
            return MostUse(
                prompt=prompt,
                pictures=pictures,
                drawn=request.n,
                picture_size=request.size,
                picture_quality=request.quality,
            )
        case TranscriptionRequest():
            return MostUse(prompt=prompt, answers=1, heard_seconds=_bytes_of(request) / _LEAST_BYTES_A_SECOND)
        case SpeechRequest():
            count = len(request.text)
            return MostUse(prompt=prompt, answers=1, limit=_TOKENS_A_CHARACTER * count, spoken_characters=count)
        case _:
            return MostUse(prompt=prompt)


def asked(request: AnyMediaRequest) -> Usage:
    """Return what is asked for beside tokens, as it counts where nobody says what was made."""
    match request:
        case ImagesRequest():
            return Usage(pictures=request.n, picture_size=request.size, picture_quality=request.quality, estimated=True)
        case TranscriptionRequest():
            return Usage(heard_seconds=likely_seconds(request.document), estimated=True)
        case SpeechRequest():
            return Usage(spoken_characters=len(request.text), estimated=True)


def _bytes_of(request: TranscriptionRequest) -> int:
    """Return the bytes of a recording, about."""
    file = request.document.get("file")
    return len(file) * 3 // 4 if isinstance(file, str) else 0


def most_tokens(content: bytes) -> int:
    """Return an upper bound for the tokens of UTF-8 text in the tokenizers of today's providers.

    Three small letters make a token, fewer in words of thirteen letters and more; each other letter, digit and sign may
    be one of its own, and so may each letter of what is no word (Base64, hashes, ids); blanks are mostly a part of the
    word behind them. Of other scripts, a character may take two tokens or three. Measured with a vocabulary of 49,152
    tokens, the smallest in use, which the providers' larger ones undercut: prose comes out 1.3 to 2 times too long.
    """
    knotted, long_words = _KNOTS.letters(content), _LONG_WORDS.letters(content)
    rest = content.translate(None, _LOWER)
    lower = len(content) - len(rest)
    signs = rest.translate(None, _BLANK)
    blank = len(rest) - len(signs)
    beyond = signs.translate(None, _ASCII)
    plain = len(signs) - len(beyond)
    two, three, rare, four = (
        len(beyond) - len(beyond.translate(None, first)) for first in (_TWO, _THREE, _RARE, _FOUR)
    )
    words = lower / 3 + 0.3 * long_words + 0.3 * knotted + 0.7 * blank
    return min(len(content), int(words + plain + 1.1 * two + 2 * three + rare + 3 * four)) + 1
