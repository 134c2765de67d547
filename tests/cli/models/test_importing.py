"""Models of other programs are linked, never copied, and only Aduana's own links and downloads are removed."""

import hashlib
import json
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.local.embedded.models.records import ModelRecord, RecordedFile, write_record
from tests.standins.hub import tiny_gguf


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the model directory of a person who has `qwen3:14b` in Ollama and a split model in LM Studio."""
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ADUANA_STATE_DIR", str(tmp_path / "state"))
    layers = []
    for kind, content in (("model", tiny_gguf(b"qwen")), ("projector", tiny_gguf(b"eyes"))):
        digest = hashlib.sha256(content).hexdigest()
        blob = home / ".ollama" / "models" / "blobs" / f"sha256-{digest}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        layers.append({"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{digest}"})
    manifest = home / ".ollama" / "models" / "manifests" / "registry.ollama.ai" / "library" / "qwen3" / "14b"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"layers": layers}))
    for part in (1, 2):
        file = home / ".lmstudio" / "models" / "org" / "Big-GGUF" / f"Big-Q8_0-0000{part}-of-00002.gguf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(tiny_gguf())
    return tmp_path / "state" / "models"


def test_what_is_here_is_listed(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, sizes and where they are from stand in a table of 80 columns, and in JSON for programs."""
    assert main(["models", "import"]) == 0
    said = capsys.readouterr().out
    for part in ("qwen3-14b", "Ollama", "qwen3:14b", "Big-Q8_0", "LM Studio"):
        assert part in said
    assert max(map(len, said.splitlines())) <= 80
    assert main(["models", "import", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert len(rows["Big-Q8_0"]["files"]) == 2
    assert rows["qwen3-14b"]["projector"]


@pytest.mark.parametrize(
    ("wanted", "links"),
    [
        ("qwen3:14b", ["mmproj-qwen3-14b.gguf", "qwen3-14b.gguf"]),
        ("qwen3-14b", ["mmproj-qwen3-14b.gguf", "qwen3-14b.gguf"]),
        ("Big-Q8_0", ["Big-Q8_0-00001-of-00002.gguf", "Big-Q8_0-00002-of-00002.gguf"]),
    ],
)
def test_a_model_is_linked_by_either_name(
    directory: Path, wanted: str, links: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Links appear under names that a configuration can use; a second time changes nothing; rm leaves the originals."""
    assert main(["models", "import", wanted]) == 0
    assert main(["models", "import", wanted]) == 0
    name = wanted.replace(":", "-")
    assert f"model: {name}" in capsys.readouterr().out
    made = sorted(directory.glob("*.gguf"))
    originals = [path.resolve() for path in made]
    assert [path.name for path in made] == links
    assert all(path.is_symlink() for path in made)
    assert main(["models", "verify"]) == 0
    assert "nothing is known" not in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert name in capsys.readouterr().out
    assert main(["models", "rm", name]) == 0
    assert list(directory.glob("*.gguf")) == []
    assert all(path.is_file() for path in originals)


def test_a_file_is_linked_by_its_path(directory: Path, tmp_path: Path) -> None:
    """Any GGUF file can be linked under a name of one's own; what is none is refused."""
    file = tmp_path / "some.gguf"
    file.write_bytes(tiny_gguf())
    assert main(["models", "import", str(file), "--name", "mine"]) == 0
    assert (directory / "mine.gguf").resolve() == file
    file.write_text("<!doctype html>")
    assert main(["models", "import", str(file), "--name", "other"]) == 2


def test_what_is_not_there_is_told_with_what_is_near(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelled name is answered with one that is near, and status 2."""
    assert main(["models", "import", "qwen3:41b"]) == 2
    assert "qwen3" in capsys.readouterr().err


def test_somebody_elses_file_stays(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that a person put there is not removed, nor overwritten by a link of the same name."""
    directory.mkdir(parents=True)
    (directory / "qwen3-14b.gguf").write_bytes(tiny_gguf(b"mine"))
    assert main(["models", "import", "qwen3:14b"]) == 2
    assert main(["models", "rm", "qwen3-14b"]) == 2
    assert "not Aduana's to remove" in capsys.readouterr().err
    assert b"mine" in (directory / "qwen3-14b.gguf").read_bytes()


def test_a_file_that_was_put_in_its_place_stays(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When a link was replaced by a real file since, that file is left alone, and rm says so."""
    assert main(["models", "import", "Big-Q8_0"]) == 0
    first = directory / "Big-Q8_0-00001-of-00002.gguf"
    first.unlink()
    first.write_bytes(b"somebody's own")
    assert main(["models", "rm", "Big-Q8_0"]) == 0
    assert "left alone" in capsys.readouterr().out
    assert first.read_bytes() == b"somebody's own"


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (tiny_gguf(b"as it came"), 0, "as it came"),
        (tiny_gguf(b"as it went"), 1, "another digest"),
        (tiny_gguf(b"as it came", 5000), 1, "5,000 / 4,096"),
        (None, 1, "is gone"),
    ],
)
def test_verify_reads_what_came(
    directory: Path, content: bytes | None, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A changed, cut or missing file is told, with what to do, and ends with status 1."""
    came = tiny_gguf(b"as it came")
    file = RecordedFile(name="m.gguf", size=len(came), sha256=hashlib.sha256(came).hexdigest())
    write_record(directory, ModelRecord(name="m", source="hf://org/m@1", files=(file,), added="2026-11-29"))
    if content is not None:
        (directory / "m.gguf").write_bytes(content)
    assert main(["models", "verify", "m"]) == status
    said = capsys.readouterr().out
    assert sentence in said
    assert ("aduana models rm m" in said) == (status == 1)


def test_a_link_whose_file_is_gone_is_told(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When the other program removed its file, verify names where it was."""
    assert main(["models", "import", "qwen3:14b"]) == 0
    (directory / "qwen3-14b.gguf").resolve().unlink()
    assert main(["models", "verify"]) == 1
    assert ".ollama" in capsys.readouterr().out
    assert main(["models", "rm", "qwen3-14b"]) == 0
    assert not (directory / "qwen3-14b.gguf").is_symlink()
