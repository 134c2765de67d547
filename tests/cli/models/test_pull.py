"""Models come from the hub whole and checked, or not at all, through the real `huggingface_hub` against a stand-in."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.standins.hub import Hub, serving, tiny_gguf

Q4 = ("org/Model-GGUF:q4_k_m",)
MODEL, EYES = "Model-Q4_K_M.gguf", "mmproj-F16.gguf"
STEP = 10 * 2**20  # what the package writes at once
SIZE = 2 * STEP + 4096


def pull(hub: Hub, folder: Path, *options: str, **environ: str) -> "subprocess.Popen[str]":
    """Start `aduana models pull org/Model-GGUF` in a home of its own."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    variables = {name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_START") if name in os.environ}
    command = [sys.executable, "-m", "gateway", "models", "pull", *(options or ("org/Model-GGUF",))]
    return subprocess.Popen(
        [*command, "--models-dir", str(folder / "models")],
        env={**variables, "HOME": str(home), "HF_ENDPOINT": hub.address, "COLUMNS": "80", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Return its exit status and all that it said."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def left(folder: Path) -> list[str]:
    """Return the names in the model directory, but for the partial downloads and the records."""
    return sorted(path.name for path in (folder / "models").glob("*.gguf"))


def test_a_model_comes_with_its_projector(tmp_path: Path) -> None:
    """Size, licence and origin are said; both files are there under names that fit a configuration, which is shown."""
    files = {
        MODEL: tiny_gguf(b"one"),
        EYES: tiny_gguf(b"eyes"),
        "Model-BF16.gguf": tiny_gguf(size=9000),
        "README.md": b"",
    }
    with serving(Hub(files=files)) as hub:
        status, said = ended(pull(hub, tmp_path))
        again, said_again = ended(pull(hub, tmp_path))
    assert (status, again) == (0, 0), said
    assert left(tmp_path) == ["Model-Q4_K_M.gguf", "mmproj-Model-Q4_K_M.gguf"]
    assert (tmp_path / "models" / MODEL).read_bytes() == files[MODEL]
    for part in ("Licence: apache-2.0", "Made from org/Model", "model: Model-Q4_K_M", "mmproj: mmproj-Model-Q4_K_M"):
        assert part in said
    assert "already" in said_again
    assert len(hub.ranges) == 2
    record = json.loads((tmp_path / "models" / ".records" / "Model-Q4_K_M.json").read_bytes())
    assert record["files"][0]["sha256"] == hashlib.sha256(files[MODEL]).hexdigest()


def test_parts_of_a_split_model_come_together(tmp_path: Path) -> None:
    """All parts of the quantisation that was named are fetched, and keep the names by which llama.cpp finds them."""
    parts = {f"Q8_0/Model-Q8_0-0000{part}-of-00002.gguf": tiny_gguf(b"%d" % part) for part in (1, 2)}
    with serving(Hub(files={**parts, MODEL: tiny_gguf(), EYES: tiny_gguf()})) as hub:
        status, said = ended(pull(hub, tmp_path, "hf://org/Model-GGUF:q8_0", "--no-projector", "--name", "big"))
    assert status == 0, said
    assert left(tmp_path) == ["big-00001-of-00002.gguf", "big-00002-of-00002.gguf"]


def test_a_broken_connection_goes_on(tmp_path: Path) -> None:
    """A connection that ends in the middle is taken up at the next byte within the same command."""
    content = tiny_gguf(os.urandom(99), SIZE)
    with serving(Hub(files={MODEL: content}, cut_at=STEP + 99)) as hub:
        status, said = ended(pull(hub, tmp_path))
    assert status == 0, said
    assert hub.ranges == ["", f"bytes={STEP}-"]
    assert (tmp_path / "models" / MODEL).read_bytes() == content


def test_a_killed_command_goes_on(tmp_path: Path) -> None:
    """The command is killed in the middle; nothing is in the directory then, and the next one fetches only the rest."""
    content = tiny_gguf(os.urandom(99), SIZE)
    with serving(Hub(files={MODEL: content}, stall_at=STEP + 99)) as hub:
        process = pull(hub, tmp_path)
        partial = tmp_path / "models" / ".partial" / hashlib.sha256(content).hexdigest()
        deadline = time.monotonic() + 30
        while not (partial.exists() and partial.stat().st_size >= STEP) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
        process.communicate()
        assert left(tmp_path) == []
        status, said = ended(pull(hub, tmp_path))
    assert status == 0, said
    assert hub.ranges == ["", f"bytes={STEP}-"]
    assert (tmp_path / "models" / MODEL).read_bytes() == content
    assert not partial.parent.exists()


def test_a_wrong_digest_is_thrown_away(tmp_path: Path) -> None:
    """What is not the file that the hub states is not kept, and it is said."""
    with serving(Hub(files={MODEL: tiny_gguf()}, lies={MODEL: {"sha256": "0" * 64}})) as hub:
        status, said = ended(pull(hub, tmp_path))
    assert status == 2
    assert "thrown away" in said
    assert left(tmp_path) == []
    assert not list((tmp_path / "models" / ".partial").iterdir())


@pytest.mark.parametrize(
    ("hub", "options", "sentence"),
    [
        (Hub(files={MODEL: tiny_gguf()}, refused=401), (), "accepted its terms"),
        (Hub(files={MODEL: tiny_gguf()}, refused=403), (), "--token-env HF_TOKEN"),
        (Hub(files={}, private=True), (), "or it is private"),
        (Hub(files={MODEL: tiny_gguf()}, gone={MODEL}), (), "is not there any more"),
        (Hub(files={MODEL: tiny_gguf()}, lies={MODEL: {"size": 10**15}}), Q4, "are free on the disk"),
        (Hub(files={"model.safetensors": b""}), (), "ends in -GGUF"),
        (Hub(files={MODEL: tiny_gguf()}), ("org/Model-GGUF:Q9_K",), "Model-Q4_K_M.gguf"),
        (Hub(files={MODEL: b"<!doctype html>"}), (), "not a GGUF file"),
    ],
    ids=["gated-401", "gated-403", "private", "gone", "disk-too-small", "no-gguf", "no-such-quantisation", "a-page"],
)  # fmt: skip
def test_what_can_not_come_says_what_to_do(tmp_path: Path, hub: Hub, options: tuple[str, ...], sentence: str) -> None:
    """Each fault ends with a sentence that says what to do, without a stack, and with status 2."""
    with serving(hub):
        status, said = ended(pull(hub, tmp_path, *options))
    assert status == 2, said
    assert sentence in said
    assert "Traceback" not in said
    assert left(tmp_path) == []


def test_a_full_disk_keeps_what_came(tmp_path: Path) -> None:
    """The disk that fills up in the middle is told, and what was written is not removed."""
    content = tiny_gguf(size=SIZE)
    partial = tmp_path / "models" / ".partial" / hashlib.sha256(content).hexdigest()
    partial.parent.mkdir(parents=True)
    partial.symlink_to("/dev/full")
    with serving(Hub(files={MODEL: content})) as hub:
        status, said = ended(pull(hub, tmp_path))
    assert status == 2
    assert "No space left on device" in said
    assert partial.is_symlink()


def test_the_token_is_that_of_the_variable(tmp_path: Path) -> None:
    """A token is sent only from the variable that is named; an empty one is refused before anything is asked."""
    with serving(Hub(files={MODEL: tiny_gguf()})) as hub:
        status, said = ended(pull(hub, tmp_path, "org/Model-GGUF", "--token-env", "MINE", MINE="hf_secret"))
        sent = set(hub.tokens)
        empty, complaint = ended(pull(hub, tmp_path, "org/Model-GGUF", "--token-env", "MINE", MINE=""))
    assert status == 0, said
    assert sent == {"Bearer hf_secret"}
    assert "hf_secret" not in said
    assert empty == 2
    assert "MINE" in complaint


def test_what_is_here_already_is_linked(tmp_path: Path) -> None:
    """A model that another program has here, byte for byte, is linked instead of downloaded."""
    content = tiny_gguf(b"the same")
    digest = hashlib.sha256(content).hexdigest()
    blob = tmp_path / "home" / ".ollama" / "models" / "blobs" / f"sha256-{digest}"
    manifest = blob.parents[1] / "manifests" / "registry.ollama.ai" / "library" / "model" / "latest"
    for path in (blob, manifest):
        path.parent.mkdir(parents=True)
    blob.write_bytes(content)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    with serving(Hub(files={MODEL: content})) as hub:
        status, said = ended(pull(hub, tmp_path))
    assert status == 0, said
    assert hub.ranges == []
    assert (tmp_path / "models" / MODEL).resolve() == blob


def test_files_beyond_the_hubs_limit_come_by_its_own_way(tmp_path: Path) -> None:
    """What the hub does not send in one HTTP answer is left to the package, and ends up in the same place."""
    content = tiny_gguf(b"large")
    small = (
        "import sys, gateway.cli, gateway.cli.models.hub as hub; hub._HTTP_LIMIT = 1000; sys.exit(gateway.cli.main())"
    )
    command = [
        sys.executable,
        "-c",
        small,
        "models",
        "pull",
        "org/Model-GGUF",
        "--models-dir",
        str(tmp_path / "models"),
    ]
    with serving(Hub(files={MODEL: content})) as hub:
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_ENDPOINT": hub.address}
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "models" / MODEL).read_bytes() == content
    assert not (tmp_path / "models" / ".partial").exists()


def test_a_hub_that_says_odd_things_writes_nowhere_else(tmp_path: Path) -> None:
    """Digests and licences are strangers' texts: none becomes a path, and none steers the terminal."""
    odd = {MODEL: {"sha256": "../../../evil"}}
    with serving(Hub(files={MODEL: tiny_gguf(), "\x1b[2Jx.gguf": b""}, lies=odd, licence="\x1b[31mfree")) as hub:
        status, said = ended(pull(hub, tmp_path))
    assert status == 0, said
    assert "\x1b" not in said
    assert left(tmp_path) == [MODEL]
    assert not (tmp_path / "evil").exists()


def test_it_goes_where_the_configuration_says(tmp_path: Path) -> None:
    """The directory is that of aduana.yaml in the folder, for there the gateway looks."""
    (tmp_path / "aduana.yaml").write_text(f"models_dir: {tmp_path / 'elsewhere'}\n")
    with serving(Hub(files={MODEL: tiny_gguf()})) as hub:
        root = str(Path(__file__).parents[3])
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_ENDPOINT": hub.address, "PYTHONPATH": root}
        command = [sys.executable, "-m", "gateway", "models", "pull", "org/Model-GGUF"]
        subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (tmp_path / "elsewhere" / MODEL).is_file()


def test_without_a_name_it_lists_some(tmp_path: Path) -> None:
    """The list fits 80 columns, names sizes and a date, and asks nobody."""
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "COLUMNS": "80", "HF_ENDPOINT": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "gateway", "models", "pull"]
    said = subprocess.run(command, env=home, capture_output=True, text=True, check=True).stdout
    assert "qwen3.6-27b-q4" in said
    assert "16.8 GB" in said
    assert max(map(len, said.splitlines())) <= 80
