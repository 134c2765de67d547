"""Names of files as the judge reads them: by the words in them, as nobody would speak of `place-6-clean.pdf`. Pure.

Signs, endings and numbers among a few words are what the judge has never seen people write; they look odd to it, and
so a name would keep its file at home. What reads like a sentence keeps its numbers: `owes 340 to Ana.pdf`. What reads
like several is no name, though it may end in one: `Ana owes me money. See notes.pdf`.
"""

import re

from gateway.privacy.patterns import late

_ENDING = (
    r"\.(?:[a-z]{2,4}\.)?(?:pdf|docx?|dotx?|rtf|odt|ott|xlsx?|xlsm|csv|tsv|ods|pptx?|odp|odg|txt|md|rst|tex|log|x?html?|xml"
    r"|json|jsonl|ya?ml|toml|ini|eml|msg|mbox|ics|vcf|jpe?g|png|gif|webp|bmp|tiff?|heic|avif|svg|ico|mp3|wav|m4a|ogg|opus"
    r"|flac|mp4|mov|mkv|avi|webm|zip|tar|t?gz|bz2|xz|7z|rar|py|js|ts|java|c|h|cpp|cs|go|rs|rb|php|sh|sql|ipynb|epub)"
)
_NAME = late(rf"(?P<stem>[^\n]{{1,200}}?)(?P<ending>{_ENDING})[ \t\r]*", re.IGNORECASE)
_WORD = late(r"[^\W\d_]{2,}")
_SIGN = late(r"[\W_]")
_SIGN_OR_DIGIT = late(r"[\W\d_]")
_SENTENCE = 4  # words
_SEVERAL = late(r"[.!?…:;][^\w\s]*\s|[¿¡]")  # sentences, or parts of one


def as_words(text: str) -> str:
    """Return a text of nothing but names of files, one a line, with blanks for all that is no word; others as they are.

    Every character stays in its place.
    """
    if "." not in text[-8:] or _SEVERAL.search(text.rstrip()):
        return text
    names = [_NAME.fullmatch(line) for line in text.split("\n")]
    return "\n".join([_words(found["stem"]).ljust(len(found[0])) for found in names if found]) if all(names) else text


def is_file_name(text: str) -> bool:
    """Say whether a text is the name of a file, or several in as many lines."""
    return as_words(text) != text


def _words(stem: str) -> str:
    return (_SIGN if len(_WORD.findall(stem)) >= _SENTENCE else _SIGN_OR_DIGIT).sub(" ", stem)
