"""Names of models on Hugging Face, and which files of a repository are meant. No I/O."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec

from gateway.cli.models.words import say
from gateway.core.errors import BadRequest
from gateway.setup.model_files import PART, is_model, projector_of

_LABEL = re.compile(
    r"(?:UD-)?(?:IQ[1-4]_[A-Z]{1,3}|Q[2-8]_K(?:_(?:XL|[SML]))?|Q[2-8]_[01]|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|F16|F32)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"(?P<owner>[A-Za-z0-9][\w.-]*)/(?P<name>[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w./-]+?))?"
    r"(?:/(?P<path>[^:]+\.gguf))?(?::(?P<wanted>[\w.-]+))?"
)
_WEB = re.compile(r"https?://[^/]+/")
_WEB_PATH = re.compile(r"/(?:blob|resolve|tree)/(?P<revision>[^/?#]+)(?:/(?P<path>[^?#]*))?(?:[?#].*)?$")
_BEST = "Q6_K"  # more bits than these cost speed and memory, and hardly show
_COMFORTABLE, _TIGHT = 0.75, 0.90  # of the memory: the rest is for the KV cache
_WHOLE = ("F32", "F16", "BF16")


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Repository on the hub, and what is wanted of it."""

    repository: str
    revision: str = "main"
    path: str = ""
    """One file; empty: chosen by `quantisation`."""
    quantisation: str = ""
    """Such as `Q4_K_M`; empty: chosen by the memory that there is."""


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """File of a repository. `sha256` hexadecimal; empty: the hub does not say it."""

    path: str
    size: int
    sha256: str = ""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Files that belong together: all parts of a model, and its projector."""

    name: str
    quantisation: str
    parts: tuple[RemoteFile, ...]
    projector: RemoteFile | None = None

    @property
    def size(self) -> int:
        """Return the bytes of the model, without the projector."""
        return sum(part.size for part in self.parts)

    @property
    def download(self) -> int:
        """Return the bytes of everything."""
        return self.size + (self.projector.size if self.projector is not None else 0)


def parse(text: str) -> Reference:
    """Read `org/repo`, `org/repo:Q4_K_M`, `org/repo/file.gguf`, `hf://…`, `hf.co/…` or a page's address.

    Raises:
        BadRequest: it is none of these.
    """
    plain = text.strip()
    web = _WEB.match(plain)
    revision = path = ""
    if web is not None:
        plain = plain[web.end() :].rstrip("/")
        page = _WEB_PATH.search(plain)
        if page is not None:
            plain, revision, path = plain[: page.start()], page["revision"], page["path"] or ""
    plain = re.sub(r"^(?:hf://|(?:www\.)?(?:hf|huggingface)\.co/)", "", plain)
    match = _REFERENCE.fullmatch(plain)
    if match is None:
        raise BadRequest(
            say(
                "{text} names no model on Hugging Face. Write ORG/REPOSITORY, ORG/REPOSITORY:Q4_K_M, "
                "ORG/REPOSITORY/FILE.gguf or hf://…; 'aduana models pull' without a name lists some.",
                text=repr(text),
            )
        )
    wanted = match["wanted"] or ""
    file = path if path.endswith(".gguf") else match["path"] or (wanted if wanted.endswith(".gguf") else "")
    return Reference(
        repository=f"{match['owner']}/{match['name']}",
        revision=revision or match["revision"] or "main",
        path=file,
        quantisation="" if file else wanted,
    )


def choices(files: Sequence[RemoteFile]) -> list[Choice]:
    """Return the models of a repository, the smallest first; a split model only if all its parts are there."""
    by_path = {file.path: file for file in files}
    projector = projector_of(list(by_path))
    found = []
    for path in by_path:
        base = PurePosixPath(path).name
        part = PART.match(base)
        if not is_model(path) or (part is not None and int(part["number"]) != 1):
            continue
        paths = [path]
        if part is not None:
            inner = path.removesuffix(base)
            count = int(part["count"])
            paths = [f"{inner}{part['stem']}-{number:05d}-of-{part['count']}.gguf" for number in range(1, count + 1)]
        if all(one in by_path for one in paths):
            found.append(
                Choice(
                    name=part["stem"] if part is not None else base.removesuffix(".gguf"),
                    quantisation=label(path),
                    parts=tuple(by_path[one] for one in paths),
                    projector=by_path[projector] if projector is not None else None,
                )
            )
    return sorted(found, key=lambda choice: choice.size)


def label(path: str) -> str:
    """Return the quantisation that a file's name says, else its folder's; empty: neither does."""
    for word in (PurePosixPath(path).stem, PurePosixPath(path).parent.name):
        found = _LABEL.findall(word)
        if found:
            return str(found[-1]).upper()
    return ""


def choose(files: Sequence[RemoteFile], reference: Reference, memory: int | None) -> Choice:
    """Choose what is meant: the file or quantisation that is named, else the best that suits the memory.

    Args:
        files: Everything in the repository.
        reference: What is wanted.
        memory: Bytes for model and KV cache together: the cards', else a part of the RAM. None: nobody knows.

    Raises:
        BadRequest: nothing fits; lists what there is.
    """
    there = choices(files)
    if not there:
        raise BadRequest(
            say(
                "{repository} has no complete GGUF file. Look for a repository whose name ends in -GGUF.",
                repository=reference.repository,
            )
        )
    if reference.path:
        found = [choice for choice in there if reference.path in {part.path for part in choice.parts}]
        found = found or [one for one in there if PurePosixPath(one.parts[0].path).name == reference.path]
    elif reference.quantisation:
        found = [choice for choice in there if choice.quantisation == reference.quantisation.upper()]
    else:
        return _by_memory(there, reference, memory)
    if len(found) == 1:
        return found[0]
    wanted = reference.path or reference.quantisation
    lines = listed(found or there)
    if found:
        raise BadRequest(say("{wanted} is more than one file. Name one:\n{lines}", wanted=wanted, lines=lines))
    raise BadRequest(say("{wanted} is not there. There are:\n{lines}", wanted=wanted, lines=lines))


def _by_memory(there: list[Choice], reference: Reference, memory: int | None) -> Choice:
    """Return the best quantisation up to Q6_K that leaves a quarter of the memory to the KV cache, or a tenth.

    Raises:
        BadRequest: nothing fits.
    """
    usual = [choice for choice in there if choice.quantisation not in _WHOLE] or there
    known = [choice.size for choice in usual if choice.quantisation.removeprefix("UD-").startswith(_BEST)]
    usual = [choice for choice in usual if not known or choice.size <= max(known)]
    if memory is None:
        middle = [choice for choice in usual if choice.quantisation.removeprefix("UD-") == "Q4_K_M"]
        return (middle or usual)[-1 if middle else len(usual) // 2]
    comfortable = [choice for choice in usual if choice.size <= _COMFORTABLE * memory]
    if comfortable:
        return comfortable[-1]
    tight = [choice for choice in usual if choice.size <= _TIGHT * memory]
    if tight:
        return tight[0]
    raise BadRequest(
        say(
            "{repository}: nothing fits in {size} GB. Name one to have it all the same (its rest stays in RAM, and it "
            "is slow), as {repository}:{quantisation}:\n{lines}",
            repository=reference.repository,
            size=f"{memory / 1e9:.1f}",
            quantisation=there[0].quantisation,
            lines=listed(there),
        )
    )


def listed(there: Sequence[Choice]) -> str:
    """Return a line for each choice: quantisation, size, file."""
    return "\n".join(
        f"  {choice.quantisation or '?':12} {choice.size / 1e9:7.2f} GB  {PurePosixPath(choice.parts[0].path).name}"
        for choice in there
    )
