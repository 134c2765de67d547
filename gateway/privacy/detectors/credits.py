"""Addresses of authors where a program, its licence, its manifest or a commit names them for all to read. Pure.

A line counts as a whole: a word for making, names, addresses, and nothing else that could say something of somebody.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from gateway.privacy.patterns import late_re2

_LONGEST = 300  # characters of such a line
_LINES = 4  # of a comment between the line that names the author and the address
_AROUND = 3_000  # characters around a line in which the rest of a manifest, or code, has to stand
_NOTICE = 200  # characters from "Written by" to a copyright notice

_WORD = r"(?:(?:[A-Z]|[^\x00-\x7f])[^\s,;:<>()@]*|van|von|der|den|de|del|di|da|la|le|and|the|of|by|&|(?:individual )?contributors|\([^\s()@]+\))"
_NAMES = rf"{_WORD}(?:,?[ \t]+{_WORD})*"
_MAIL = r"[\w.+'-]+@[\w.-]*\w"
_ADDRESS = rf"(?:<{_MAIL}>|\({_MAIL}\)|{_MAIL})"
_PERSON = rf"(?:{_NAMES},?[ \t]*)?{_ADDRESS}"
_PEOPLE = rf"{_PERSON}(?:(?:[,;]|[ \t]and|[ \t]&)[ \t]+{_PERSON})*"
_END = r"[.,;]?[ \t]*(?:\*/|-->|\"\"\")?[ \t\r]*"

_MARK = r"(?:#+|//+|/\*+|\*+|;+|--|%+|\.\.|<!--|REM)"
_MAKER = r"@?(?:original |main |module)?(?:(?:authors?|maintainers?|contributors?)[ \t]*(?::{1,2}|-|[ \t])|(?:re)?written by:?|created by:?|ported by:?)"
_YEARS = r"(?:19|20)[0-9]{2}(?:[ \t]?[-–,][ \t]?(?:(?:19|20)?[0-9]{2}|present))*,?"
_COPYRIGHT = (
    rf"(?:(?:copyright[ \t]*(?:\(c\)|©)?|\(c\)[ \t]*copyright|©)[ \t]*{_YEARS}|copyright[ \t]*(?:\(c\)|©)?[ \t]*by)"
)
_LICENCE = rf"[ \t]*(?:{_MARK}[ \t]*)?(?i:{_COPYRIGHT}|{_MARK}[ \t]*\(c\)[ \t]*{_YEARS})[ \t]*(?i:by[ \t]+)?"
_COMMENT = rf"[ \t]*{_MARK}[ \t]*(?i:{_MAKER})[ \t]*"
_TRAILER = r"(?:Signed-off|Co-authored|Reviewed|Acked|Tested|Reported|Suggested)-by:[ \t]+"

_LICENCE_LINE = late_re2(rf"{_LICENCE}{_PEOPLE}{_END}")
_COMMENT_LINE = late_re2(rf"{_COMMENT}{_PEOPLE}{_END}")
_TRAILER_LINE = late_re2(rf"(?i:{_TRAILER}){_NAMES}[ \t]+<{_MAIL}>[ \t\r]*")
_LEAD = late_re2(rf"(?:{_LICENCE}|{_COMMENT})(?:{_NAMES})?[.,:]?[ \t\r]*")
_GOES_ON = late_re2(
    rf"[ \t]*{_MARK}[ \t]*(?:(?:(?i:contact|e-?mail|mail):?[ \t]+)?{_PEOPLE}|{_NAMES}|(?i:all rights reserved))?{_END}"
)
_MARKED = late_re2(rf"[ \t]*({_MARK})")
_DUNDER = late_re2(
    rf"[ \t]*__(?:author|maintainer|email|copyright|credits)\w*__[ \t]*=[ \t]*[(\[]?[\"'](?:{_NAMES},?[ \t]*)?{_ADDRESS}[\"'][)\]]?,?[ \t\r]*"
)
_ARGUMENT = late_re2(
    rf"[ \t]*(?:author|maintainer)(?:_email|s)?[ \t]*=[ \t]*\[?[\"'](?:{_NAMES},?[ \t]*)?{_ADDRESS}[\"']\]?,?[ \t\r]*|[ \t]*(?:author|maintainer)[_-]email[ \t]*=[ \t]*{_MAIL}[ \t\r]*"
)
_FIELD = late_re2(
    rf"[ \t]*\"(?:author|maintainer)s?\"[ \t]*:[ \t]*\[?[ \t]*\"(?:{_NAMES},?[ \t]*)?{_ADDRESS}\"[ \t]*\]?,?[ \t\r]*"
)
_SETUP = late_re2(r"\bsetup\(|(?m)^[ \t]*version[ \t]*=|^\[(?:project|metadata|package|tool\.)")
_OF_PACKAGE = tuple(late_re2(rf"\"(?:{key})\"[ \t]*:") for key in ("name", "version"))
_CODE = late_re2(
    r"(?m)^[ \t]*(?:import |from [\w.]+ import|def |async |class |@\w|#!|#include|#define|package |use |using |func |fn |let |const |var |public |private |static |return\b|if\b.*[:{(]|for\b.*[:{(]|while\b|"
    r"(?i:select|create|insert|update|alter|drop) [\w*]|echo |set |export |local |require|module |[\w.]+[ \t]*(?::=|\+?=|\()|[\w.:]+\(.*\))|[{};][ \t\r]*$"
)
_WRITTEN = late_re2(rf"Written by {_PEOPLE}{_END}")


def is_credited(text: str, start: int) -> bool:
    """Tell whether the address that begins at `start` stands where programs name their authors."""
    begin = text.rfind("\n", max(0, start - _LONGEST), start) + 1
    line = _line(text, begin)
    if line is None or (begin == 0 and start > _LONGEST):
        return False
    if _LICENCE_LINE.fullmatch(line) or _TRAILER_LINE.fullmatch(line) or _DUNDER.fullmatch(line):
        return True
    if _ARGUMENT.fullmatch(line):
        return _SETUP.search(_around(text, begin)) is not None
    if _FIELD.fullmatch(line):
        return all(key.search(_around(text, begin)) for key in _OF_PACKAGE)
    if _WRITTEN.fullmatch(line):
        return "copyright" in text[start : start + _NOTICE].lower()
    return _in_comment(text, begin, line) and _CODE.search(_without_comments(_around(text, begin))) is not None


def _line(text: str, begin: int) -> str | None:
    """Return the line that begins at a place; None: it is longer than one that names somebody."""
    end = text.find("\n", begin, begin + _LONGEST)
    if end < 0 and len(text) > begin + _LONGEST:
        return None
    return text[begin : end if end >= 0 else len(text)]


def _around(text: str, at: int) -> str:
    return text[max(0, at - _AROUND) : at + _AROUND]


def _without_comments(text: str) -> str:
    """Return the lines that are no comments: a heading and a list of Markdown are no code."""
    return "\n".join(
        line for line in text.split("\n") if not _MARKED.match(line) or line.startswith(("#!", "#in", "#de"))
    )


def _in_comment(text: str, begin: int, line: str) -> bool:
    """Tell whether the line of a comment names somebody, or goes on with what a line above begins."""
    mark = _MARKED.match(line)
    if mark is None or (mark[1].startswith("*") and text.rfind("/*", 0, begin) <= text.rfind("*/", 0, begin)):
        return False
    if _COMMENT_LINE.fullmatch(line):
        return True
    for _ in range(_LINES):
        if begin == 0 or not _GOES_ON.fullmatch(line):
            return False
        begin = text.rfind("\n", max(0, begin - 1 - _LONGEST), begin - 1) + 1
        above = _line(text, begin)
        other = _MARKED.match(above) if above is not None else None
        if above is None or other is None or other[1].strip("/") not in (mark[1], mark[1].strip("/")):
            return False
        if _LEAD.fullmatch(above) or _COMMENT_LINE.fullmatch(above) or _LICENCE_LINE.fullmatch(above):
            return True
        line = above
    return False
