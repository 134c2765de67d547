"""GGUF files that other programs keep on this machine: Ollama, LM Studio, Hugging Face's cache, llama.cpp's cache.

Nothing is copied, and no header is read beyond the four bytes that say what a file is. What can't be read is left out.

Sources of the layouts: Ollama `server/internal/manifest` and docs/faq ("Where are models stored?"); LM Studio's page
"Import models"; huggingface_hub's "Understand caching"; llama.cpp's `common/download.cpp`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

Store = Literal["ollama", "lm-studio", "hugging-face", "llama.cpp"]

_MAGIC = b"GGUF"
_MODEL, _PROJECTOR = "application/vnd.ollama.image.model", "application/vnd.ollama.image.projector"
_REGISTRY, _LIBRARY = "registry.ollama.ai", "library"
_OLLAMA_SERVICES = ("/usr/share/ollama/.ollama/models", "/var/lib/ollama/models", "/var/snap/ollama/common/models")
_LARGEST_NOTE = 4 * 2**20  # bytes of a manifest or a settings file
PART = re.compile(r"^(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")
_PROJECTORS = ("f16", "bf16", "f32", "q8_0")  # the best kept first: a projector is small


class FoundModel(msgspec.Struct, frozen=True, kw_only=True):
    """Model of another program. A split model has several parts; the first is what is loaded."""

    name: str
    """A name for it in the model directory, such as `qwen3-14b`."""
    store: Store
    origin: str
    """What its own program calls it: `qwen3:14b`, or the repository that it came from."""
    parts: tuple[Path, ...]
    digests: tuple[str, ...] = ()
    """SHA-256 (hexadecimal) of each part, where the store says it; empty: it does not."""
    size: int
    """Bytes of all parts, without the projector."""
    projector: Path | None = None
    """The file that lets the model see or hear."""

    @property
    def path(self) -> Path:
        """Return the file to name in a configuration."""
        return self.parts[0]


def find_models(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> list[FoundModel]:
    """Return the models of all known stores, by store and name; each file once.

    Args:
        environ: Variables that move a store: OLLAMA_MODELS, HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, LLAMA_CACHE.
        home: The home directory to look in; None: this user's.
    """
    place = home if home is not None else Path.home()
    seen: set[Path] = set()
    found = []
    for model in (
        *_ollama(environ, place, services=home is None),
        *_lm_studio(place),
        *_hugging_face(environ, place),
        *_llama_cpp(environ, place),
    ):
        whole = model.path.resolve()
        if whole not in seen:
            seen.add(whole)
            found.append(model)
    return found


def is_gguf(path: Path) -> bool:
    """Tell whether a file begins as a GGUF file does; False where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def projector_of(names: list[str]) -> str | None:
    """Choose the projector among the files of a repository or folder; None: it has none."""
    found = [name for name in names if is_projector(name)]
    order = {word: place for place, word in enumerate(_PROJECTORS)}

    def rank(name: str) -> tuple[int, str]:
        words = re.split(r"[-.]", name.lower())
        return min((order[word] for word in words if word in order), default=len(order)), name

    return min(found, key=rank, default=None)


def is_projector(name: str) -> bool:
    """Tell by its name whether a file is a projector."""
    return "mmproj" in Path(name).name.lower()


def is_model(name: str) -> bool:
    """Tell by its name whether a file holds a model, or a part of one: no projector and no table of importances."""
    base = Path(name).name.lower()
    return base.endswith(".gguf") and not is_projector(base) and "imatrix" not in base


def _ollama(environ: Mapping[str, str], home: Path, *, services: bool) -> Iterator[FoundModel]:
    places = [Path(environ["OLLAMA_MODELS"]).expanduser()] if environ.get("OLLAMA_MODELS") else []
    places += [home / ".ollama" / "models", *(map(Path, _OLLAMA_SERVICES) if services else ())]
    for place in places:
        manifests = place / "manifests"
        for file in _walk(manifests):
            model = _of_manifest(place / "blobs", file, file.relative_to(manifests).parts)
            if model is not None:
                yield model


def _of_manifest(blobs: Path, file: Path, words: tuple[str, ...]) -> FoundModel | None:
    """Return the model of a manifest `host/namespace/model/tag`; None: it holds no whole GGUF file."""
    manifest = _note(file)
    layers = manifest.get("layers")
    if len(words) != 4 or not isinstance(layers, list):
        return None
    host, space, model, tag = words
    paths: dict[str, list[tuple[Path, str]]] = {_MODEL: [], _PROJECTOR: []}
    for layer in layers:
        kind, digest = (layer.get("mediaType"), layer.get("digest")) if isinstance(layer, dict) else (None, None)
        match = re.fullmatch(r"sha256:([0-9a-f]{64})", digest) if isinstance(digest, str) else None
        if kind in (_MODEL, _PROJECTOR) and match is not None:
            path = blobs / f"sha256-{match[1]}"
            paths[kind].append((path if path.exists() else blobs / str(digest), match[1]))
    if len(paths[_MODEL]) != 1 or not is_gguf(paths[_MODEL][0][0]):
        return None
    path, digest = paths[_MODEL][0]
    origin = "/".join([*([host] if host != _REGISTRY else []), *([space] if space != _LIBRARY else []), model])
    projector = next((path for path, _ in paths[_PROJECTOR] if is_gguf(path)), None)
    return FoundModel(
        name=_tame(model if tag == "latest" else f"{model}-{tag}"),
        store="ollama",
        origin=f"{origin}:{tag}",
        parts=(path,),
        digests=(digest,),
        size=path.stat().st_size,
        projector=projector,
    )


def _lm_studio(home: Path) -> Iterator[FoundModel]:
    chosen = _note(home / ".lmstudio" / "settings.json").get("downloadsFolder")
    places = [Path(chosen).expanduser()] if isinstance(chosen, str) and chosen else []
    for place in (*places, home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
        yield from _in_folders(place, "lm-studio")


def _hugging_face(environ: Mapping[str, str], home: Path) -> Iterator[FoundModel]:
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    place = Path(environ.get("HF_HUB_CACHE") or Path(environ.get("HF_HOME") or cache / "huggingface") / "hub")
    for repository in _entries(place.expanduser(), "models--*"):
        origin = repository.name.removeprefix("models--").replace("--", "/")
        main = _line(repository / "refs" / "main")
        for snapshot in sorted(_entries(repository / "snapshots", "*"), key=lambda one: one.name != main):
            for model in _in_folders(snapshot, "hugging-face"):
                yield msgspec.structs.replace(model, origin=origin)


def _llama_cpp(environ: Mapping[str, str], home: Path) -> Iterator[FoundModel]:
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    place = Path(environ.get("LLAMA_CACHE") or cache / "llama.cpp").expanduser()
    for model in _in_folders(place, "llama.cpp"):
        yield msgspec.structs.replace(
            model, origin=model.path.name, projector=None
        )  # files of all repositories at once


def _in_folders(place: Path, store: Store) -> Iterator[FoundModel]:
    """Yield the models below a place, each with the projector of its folder, by which it is called as well."""
    folders: dict[Path, list[str]] = {}
    for file in _walk(place):
        if file.suffix == ".gguf":
            folders.setdefault(file.parent, []).append(file.name)
    for folder, names in folders.items():
        projector = projector_of(names)
        for name in names:
            parts = _parts(folder, name) if is_model(name) else ()
            if not parts or not all(map(is_gguf, parts)):
                continue
            digests = tuple(_digest_of(part) for part in parts)
            yield FoundModel(
                name=PART.sub(r"\g<stem>.gguf", name).removesuffix(".gguf"),
                store=store,
                origin=folder.relative_to(place).as_posix(),
                parts=parts,
                digests=digests if all(digests) else (),
                size=sum(part.stat().st_size for part in parts),
                projector=folder / projector if projector is not None else None,
            )


def _parts(folder: Path, name: str) -> tuple[Path, ...]:
    """Return the files of the model that begins with this one; none: it begins with another, or a part is missing."""
    match = PART.match(name)
    if match is None:
        return (folder / name,)
    if int(match["number"]) != 1:
        return ()
    count = int(match["count"])
    return tuple(folder / f"{match['stem']}-{number:05d}-of-{match['count']}.gguf" for number in range(1, count + 1))


def _digest_of(path: Path) -> str:
    """Return the SHA-256 that a cache keeps as the name of the file behind a link; empty: it does not."""
    name = path.resolve().name if path.is_symlink() else ""
    return name if re.fullmatch(r"[0-9a-f]{64}", name) else ""


def _tame(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


def _walk(place: Path) -> Iterator[Path]:
    """Yield the files below a folder, by name; none where it can't be read."""
    for folder, inner, names in os.walk(place):
        inner.sort()
        for name in sorted(names):
            yield Path(folder) / name


def _entries(place: Path, pattern: str) -> list[Path]:
    try:
        return sorted(place.glob(pattern))
    except OSError:
        return []


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")[:100].strip()
    except OSError:
        return ""


def _note(file: Path) -> dict[str, Any]:
    """Return the object in a small JSON file; empty: there is none."""
    try:
        with file.open("rb") as opened:
            content = json.loads(opened.read(_LARGEST_NOTE))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
