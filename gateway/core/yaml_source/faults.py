"""What is wrong with a file that is no YAML, in plain words: where, what, and what to do. Pure.

No sentence repeats a value of the file: it may be a secret.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from gateway.core.errors import ConfigurationError

_BYTE_ORDER_MARKS: Mapping[bytes, str] = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_QUOTE = 'Put the whole text into quotation marks: "…".'
_SECOND_COLON = re.compile(r":(\s|$)")


class YamlFault(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a file (line and column count from 1), and a sentence about it."""

    line: int
    column: int
    sentence: str


class _At(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parser stopped, and where what it was reading then begins; lines and columns count from 0."""

    lines: list[str]
    line: int
    column: int
    start_line: int
    start_column: int

    @property
    def text(self) -> str:
        """Return the line at which the parser stopped; an empty one behind the end."""
        return self.lines[self.line] if self.line < len(self.lines) else ""

    @property
    def start_text(self) -> str:
        """Return the line in which that begins which was being read."""
        return self.lines[self.start_line] if self.start_line < len(self.lines) else ""

    def before(self) -> int | None:
        """Return the nearest line above that has something to read; None: there is none."""
        above = range(min(self.line, len(self.lines)) - 1, -1, -1)
        return next((n for n in above if self.lines[n].strip() and not self.lines[n].lstrip().startswith("#")), None)

    def here(self, sentence: str, column: int | None = None) -> YamlFault:
        """Return a fault where the parser stopped."""
        return YamlFault(line=self.line + 1, column=(self.column if column is None else column) + 1, sentence=sentence)

    def start(self, sentence: str) -> YamlFault:
        """Return a fault where that begins which was being read."""
        return YamlFault(line=self.start_line + 1, column=self.start_column + 1, sentence=sentence)


def fault_of(error: YAMLError, text: str) -> YamlFault:
    """Return what a parser's error means for whoever wrote the file."""
    if isinstance(error, ReaderError):
        return _character(text, int(error.position), error.character)
    if not isinstance(error, MarkedYAMLError):
        return YamlFault(line=1, column=1, sentence=f"this is not valid YAML: {' '.join(str(error).split())}.")
    mark = error.problem_mark or error.context_mark
    start = error.context_mark or mark
    at = _At(
        lines=text.splitlines(),
        line=mark.line if mark else 0,
        column=mark.column if mark else 0,
        start_line=start.line if start else 0,
        start_column=start.column if start else 0,
    )
    problem, context = str(error.problem or ""), str(error.context or "")
    found = next((fault for fault in _explained(problem, context, at) if fault is not None), None)
    return found or at.here(f"this is not valid YAML: {problem or context}.")


def _explained(problem: str, context: str, at: _At) -> Iterator[YamlFault | None]:
    """Yield what each explanation makes of an error, the surest first; None where it knows nothing of it."""
    yield _documents(context, at)
    yield _start_of_token(problem, context, at)
    yield _quotes(problem, context, at)
    yield _names(problem, context, at)
    yield _brackets(problem, context, at)
    yield _blocks(problem, context, at)


def _character(text: str, position: int, character: object) -> YamlFault:
    before = text[:position]
    number = character if isinstance(character, int) else ord(str(character)[:1] or "\0")
    advice = "Save the file as UTF-8." if number == 0 or 0xD800 <= number <= 0xDFFF else "Delete it."
    return YamlFault(
        line=before.count("\n") + 1,
        column=position - before.rfind("\n"),
        sentence=f"the character U+{number:04X}, which most editors don't show, can't stand in a file like this. "
        f"{advice}",
    )


def _documents(context: str, at: _At) -> YamlFault | None:
    if "single document" not in context:
        return None
    return at.here(
        "a second document begins here, behind '---' or '...'; a file holds one. Delete the line with these signs, or "
        "move what stands below it into a file of its own."
    )


def _start_of_token(problem: str, context: str, at: _At) -> YamlFault | None:
    if "cannot start any token" in problem or "could not find expected ':'" in problem:
        tab = at.text.find("\t", at.column if not at.text[: at.column].strip() else 0)
        if tab >= 0 and (not at.text[:tab].strip(" -") or tab == at.column):
            advice = "Put spaces in its place; most editors can do that for the whole file."
            return at.here(f"there is a tab here, and YAML is indented with spaces alone. {advice}", tab)
    sign = re.search(r"character '(.+)' that cannot start", problem)
    if sign:
        return at.here(f"a text can't begin with {sign[1]}. {_QUOTE}")
    if "undefined alias" in problem:
        return at.here(f"a text that begins with * stands for one that is named with & above, and none is. {_QUOTE}")
    if problem.startswith("expected alphabetic or numeric character"):
        return at.start(f"a text can't begin with & or *. {_QUOTE}")
    if "mapping keys are not allowed" in problem:
        return at.here(f"a text can't begin with a question mark and a space. {_QUOTE}")
    percent = next((number for number, line in enumerate(at.lines, 1) if line.startswith("%")), None)
    if percent is not None and ("<document start>" in problem or "directive" in context):
        return YamlFault(line=percent, column=1, sentence=f"a line can't begin with %. {_QUOTE}")
    return None


def _quotes(problem: str, context: str, at: _At) -> YamlFault | None:
    if "escape character" in problem or "expected escape sequence" in problem:
        return at.here(
            'inside "…" a backslash has a meaning of its own, and this one has none. Write it twice, or put the text '
            "into '…'."
        )
    if "quoted scalar" in context:
        return at.start("the quotation mark that stands here is never closed. Put another one at the end of the text.")
    if "found '<scalar>'" in problem:
        return at.here(
            "a text in quotation marks ends before this, though more follows. Close the quotation mark above it, or, "
            "where the mark belongs to the text, write it twice inside '…'."
        )
    return None


def _names(problem: str, context: str, at: _At) -> YamlFault | None:
    if "simple key" in context and "expected ':'" in problem:
        line = at.start_text.strip()
        if line.startswith("-"):
            return at.start("an item of a list needs a space behind its dash: '- item'.")
        return at.start("this line has no value, as in 'name: value', with a space behind the colon. Write one, or "
                        "indent the line if it continues the text above it.")  # fmt: skip
    if "mapping values are not allowed" not in problem:
        return None
    if _SECOND_COLON.search(at.text[: at.column]):
        return at.here(f"this is the second colon with a space behind it in one line. {_QUOTE}")
    above = at.before()
    if above is None:
        return None
    written = at.lines[above]
    if not _SECOND_COLON.search(written):
        return YamlFault(
            line=above + 1,
            column=len(written) - len(written.lstrip()) + 1,
            sentence="this line has no value, as in 'name: value', with a space behind the colon. Write one.",
        )
    return at.here(
        f"this line is indented deeper than line {above + 1}, which has a value already. Indent both alike.",
        len(at.text) - len(at.text.lstrip()),
    )


def _brackets(problem: str, context: str, at: _At) -> YamlFault | None:
    if "flow" in context and ("expected ','" in problem or "stream end" in problem or "node content" in problem):
        if "node content" in problem and (at.text[at.column :] or at.line + 1 < len(at.lines)):
            return at.here("here a value is missing. Write one, or take the sign before it away.")
        if at.start_line >= len(at.lines) or "node content" in problem:
            return at.here("a bracket [ or { above is never closed. Put the closing one behind its last item.")
        return at.start(
            f"the bracket that opens here is not closed, or a comma between its items is missing, up to line "
            f"{min(at.line, len(at.lines) - 1) + 1}. Close it, or write the comma."
        )
    if re.search(r"found '[\]},]'", problem):
        return at.here("this bracket or comma closes nothing that was opened. Delete it, or put the text that it "
                       "belongs to into quotation marks.")  # fmt: skip
    return None


def _blocks(problem: str, context: str, at: _At) -> YamlFault | None:
    if "block scalar" in context:
        return at.here("behind | or > nothing more may stand. Begin the text in the next line, indented.")
    if "found '<block mapping start>'" in problem or "found '<block sequence start>'" in problem:
        spaces = len(at.text) - len(at.text.lstrip())
        return at.here(
            f"this line begins with {spaces} space{'s' * (spaces != 1)}, as no line does that it could belong to. "
            "Indent it exactly like the lines beside it."
        )
    if "expected <block end>" in problem:
        item = at.text.lstrip().startswith("-")
        what = "an item of a list (-) stands among lines 'name: value'" if item else "a line 'name: value' stands " \
               "among the items of a list (-)"  # fmt: skip
        return at.here(f"{what}. Indent it below the name that it belongs to, or write it as the lines beside it.")
    return None


def decoded(data: bytes, file: str) -> str:
    """Return the text of a file.

    Raises:
        ConfigurationError: It is not UTF-8; with the line.
    """
    for mark, name in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            raise ConfigurationError((f"{file}:1:1: the file is saved as {name}. Save it as UTF-8.",))
    try:
        return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise ConfigurationError(
            (
                f"{file}:{line}:{column}: the byte 0x{data[error.start]:02X} is not UTF-8; the file seems to be saved "
                "in an older encoding, such as Windows-1252. Save it as UTF-8.",
            )
        ) from error
