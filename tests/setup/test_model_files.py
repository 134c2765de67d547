"""Models that other programs keep here are found under the names that people know them by."""

import hashlib
import json
from pathlib import Path

import pytest

from gateway.setup.model_files import FoundModel, find_models, projector_of


def gguf(path: Path, content: bytes = b"weights") -> str:
    """Write a file that begins as a GGUF file does, and return its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"GGUF" + content)
    return hashlib.sha256(b"GGUF" + content).hexdigest()


def ollama(store: Path, words: str, *layers: tuple[str, bytes]) -> list[Path]:
    """Write a manifest with its blobs, as Ollama does; return the blobs."""
    blobs, listed = [], []
    for kind, content in layers:
        digest = hashlib.sha256(b"GGUF" + content).hexdigest()
        blobs.append(store / "blobs" / f"sha256-{digest}")
        gguf(blobs[-1], content)
        listed.append({"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{digest}", "size": 9})
    manifest = store / "manifests" / words
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"schemaVersion": 2, "config": {}, "layers": listed}))
    return blobs


def hub(cache: Path, repository: str, revision: str, *names: str) -> None:
    """Write files as Hugging Face's cache has them: links to blobs that are named by their digests."""
    place = cache / f"models--{repository.replace('/', '--')}"
    for name in names:
        digest = gguf(place / "new", name.encode())
        blob = place / "blobs" / digest
        blob.parent.mkdir(parents=True, exist_ok=True)
        (place / "new").replace(blob)
        link = place / "snapshots" / revision / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)


def found(home: Path, **environ: str) -> dict[str, FoundModel]:
    """Return what is found, by name; a name that comes twice would be a fault of the test."""
    models = find_models(environ, home)
    assert len({model.name for model in models}) == len(models)
    return {model.name: model for model in models}


def test_ollamas_store(tmp_path: Path) -> None:
    """A manifest says which blob is the model, which the projector, and what people call it."""
    store = tmp_path / ".ollama" / "models"
    model, projector = ollama(store, "registry.ollama.ai/library/gemma3/12b", ("model", b"one"), ("projector", b"eye"))
    ollama(store, "registry.ollama.ai/library/qwen3/latest", ("model", b"two"), ("template", b"text"))
    ollama(store, "hf.co/unsloth/Qwen3-GGUF/Q4_K_M", ("model", b"three"))
    ollama(store, "registry.ollama.ai/library/in-tensors/latest", ("tensor", b"four"))
    models = found(tmp_path)
    assert models["gemma3-12b"].path == model
    assert models["gemma3-12b"].projector == projector
    assert models["gemma3-12b"].digests == (model.name.removeprefix("sha256-"),)
    assert {name: one.origin for name, one in models.items()} == {
        "gemma3-12b": "gemma3:12b",
        "qwen3": "qwen3:latest",
        "Qwen3-GGUF-Q4_K_M": "hf.co/unsloth/Qwen3-GGUF:Q4_K_M",
    }


def test_hugging_faces_cache(tmp_path: Path) -> None:
    """Parts of a split model are one model, older revisions of the same file are not told twice."""
    cache = tmp_path / "hub"
    hub(cache, "unsloth/Big-GGUF", "aaa", "Q8_0/Big-00001-of-00002.gguf", "Q8_0/Big-00002-of-00002.gguf")
    hub(cache, "org/Eyes-GGUF", "bbb", "Eyes-Q4_K_M.gguf", "mmproj-F16.gguf", "Eyes-imatrix.gguf")
    hub(cache, "org/Eyes-GGUF", "ccc", "Eyes-Q4_K_M.gguf")
    hub(cache, "org/Half-GGUF", "ddd", "Half-00001-of-00002.gguf")
    refs = cache / "models--org--Eyes-GGUF" / "refs"
    refs.mkdir()
    (refs / "main").write_text("bbb")
    models = found(tmp_path, HF_HUB_CACHE=str(cache))
    assert models.keys() == {"Big", "Eyes-Q4_K_M"}
    assert len(models["Big"].parts) == 2
    assert models["Big"].size == sum(part.stat().st_size for part in models["Big"].parts)
    eyes = models["Eyes-Q4_K_M"]
    assert eyes.origin == "org/Eyes-GGUF"
    assert eyes.projector is not None
    assert eyes.projector.name == "mmproj-F16.gguf"
    assert eyes.digests == (hashlib.sha256(eyes.path.read_bytes()).hexdigest(),)


def test_lm_studios_folders(tmp_path: Path) -> None:
    """Its own folder and the one that its settings name are looked at; what only looks like a model is not told."""
    gguf(tmp_path / ".lmstudio" / "models" / "org" / "One-GGUF" / "One-Q4_K_M.gguf")
    gguf(tmp_path / "disk" / "org" / "Two-GGUF" / "Two-Q8_0.gguf")
    (tmp_path / ".lmstudio" / "settings.json").write_text(json.dumps({"downloadsFolder": str(tmp_path / "disk")}))
    page = tmp_path / ".lmstudio" / "models" / "org" / "Page" / "Page.gguf"
    page.parent.mkdir()
    page.write_text("<!doctype html>")
    models = found(tmp_path)
    assert {name: (one.store, one.origin) for name, one in models.items()} == {
        "One-Q4_K_M": ("lm-studio", "org/One-GGUF"),
        "Two-Q8_0": ("lm-studio", "org/Two-GGUF"),
    }


def test_llama_cpps_cache(tmp_path: Path) -> None:
    """A file of its cache is found; the files of other repositories beside it are not taken for its projector."""
    gguf(tmp_path / "cache" / "org_One-GGUF_One-Q4_K_M.gguf")
    gguf(tmp_path / "cache" / "other_Two-GGUF_mmproj-F16.gguf")
    (model,) = find_models({"LLAMA_CACHE": str(tmp_path / "cache")}, tmp_path)
    assert (model.store, model.name, model.projector) == ("llama.cpp", "org_One-GGUF_One-Q4_K_M", None)


@pytest.mark.parametrize("note", ["", "[]", '{"layers": 5}', '{"layers": [5, {}, {"mediaType": []}]}', "[" * 100_000])
def test_a_broken_store_is_left_out(tmp_path: Path, note: str) -> None:
    """A manifest that says nothing, and a computer without any store, end in no model and no error."""
    manifest = tmp_path / ".ollama" / "models" / "manifests" / "registry.ollama.ai" / "library" / "x" / "latest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(note)
    assert find_models({}, tmp_path) == []


def test_the_projector_with_the_best_numbers_is_chosen() -> None:
    """Of several projectors of a repository, f16 comes first; a repository without one has none."""
    assert projector_of(["mmproj-BF16.gguf", "mmproj-F32.gguf", "mmproj-F16.gguf", "m-Q4_0.gguf"]) == "mmproj-F16.gguf"
    assert projector_of(["m-f16.gguf"]) is None
