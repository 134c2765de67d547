"""All that a proof of a policy rests on: texts, catalog, rates, and the program that proves."""

import hashlib
import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

import gateway
from gateway.core.errors import ConfigurationError
from gateway.core.target import Catalog
from gateway.policy import Policy, load_policy
from gateway.policy.proof.verdict import PolicyCheck

# What decides, reads policies and proves them: by the import contracts these rooms know no other.
_ROOMS = ("core", "privacy", "policy")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it was read. `fully`: also expectations and notes, else the claims alone."""

    roots: tuple[str, ...]  # paths of the files that it begins with; none: the built-in one
    texts: Mapping[str, str]  # by path, with what is included
    catalog: Catalog
    rates: Mapping[str, float]
    fully: bool = False

    def policy(self) -> Policy:
        """Return the policy.

        Raises:
            ConfigurationError: It does not load; every problem found is in it.
        """
        roots = [(path, self.texts[path]) for path in self.roots]
        return load_policy(roots, self.catalog, read=self._text, rates=self.rates)

    def _text(self, path: str) -> str:
        if path not in self.texts:
            raise ConfigurationError((f"{path}: only files of the policy in force can be included here.",))
        return self.texts[path]

    def encoded(self) -> bytes:
        """Return it as bytes for another process; targets and names stay in their order, which policies follow.

        Raises:
            UnicodeEncodeError: A text has letters that are none.
        """
        return msgspec.json.encode(self, enc_hook=_plain)

    def digest(self, policy: str) -> str:
        """Return a name for the question, the policy that was made of it (its digest), and the program that answers.

        Raises:
            OSError: The program's own files can't be read.
            UnicodeEncodeError: A text has letters that are none.
        """
        found = hashlib.sha256(b"aduana proof 1\0")
        order = [list(names) for names in (self.catalog.targets, self.catalog.aliases, self.catalog.tags_of_keys)]
        placed = self._from_their_folder()
        content = msgspec.json.encode(placed, enc_hook=_plain, order="deterministic")  # which sorts names and sets
        for part in (*_program(), policy.encode(), msgspec.json.encode(order), content):
            found.update(len(part).to_bytes(8, "big") + part)
        return found.hexdigest()

    def _from_their_folder(self) -> "Question":
        """Return the same question, with paths from the folder that has all files: what moves whole stays proved.

        INVARIANT: files name each other by paths as they are written, which are all in the texts, so that the same
        texts under the same names from there make the same policy.
        """
        try:
            top = os.path.commonpath([os.path.dirname(path) for path in self.texts]) + os.sep
        except ValueError:  # no files, or not all of them absolute
            return self
        if not all(path.startswith(top) for path in self.texts):
            return self
        roots = tuple(path.removeprefix(top) for path in self.roots)
        texts = {path.removeprefix(top): text for path, text in self.texts.items()}
        return msgspec.structs.replace(self, roots=roots, texts=texts)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to a question: a sentence for each claim that was not proved, or all that a check found.

    `digest`: of the policy that the answer is about.
    """

    digest: str
    unproved: tuple[str, ...] = ()
    check: PolicyCheck | None = None


def answer_to(question: Question, policy: Policy) -> Answer:
    """Ask the solver, which is loaded into this process and stays there."""
    from gateway.policy.proof.check import check, unproved

    if question.fully:
        return Answer(digest=policy.digest, check=check(policy))
    return Answer(digest=policy.digest, unproved=unproved(policy))


@cache
def _program() -> tuple[bytes, ...]:
    """Return what tells this program from others that might prove otherwise.

    Raises:
        FileNotFoundError: It does not lie here as files.
        OSError: Its files can't be read.
    """
    root = Path(gateway.__file__).parent
    files = sorted(file for room in _ROOMS for file in (root / room).rglob("*") if file.suffix in {".py", ".yaml"})
    if not files:
        raise FileNotFoundError(str(root))
    names = (gateway.__version__, platform.python_version(), version("z3-solver"), version("msgspec"))
    parts = [*map(str.encode, names)]
    for file in files:
        parts += [str(file.relative_to(root)).encode(), file.read_bytes()]
    return tuple(parts)


def _plain(value: Any) -> Any:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError(type(value).__name__)
