"""`aduana engine install` in an environment of its own: from an index on loopback, and by compiling."""

import functools
import http.server
import io
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(sysconfig.get_path("purelib"))  # where the tests' own packages are
VERSION = "0.3.36"
METADATA = f"Metadata-Version: 2.1\nName: llama-cpp-python\nVersion: {VERSION}\n"


class Venv:
    """An environment that has everything but pip's right to touch the tests' own, and its `aduana`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        self.python = folder / "venv" / "bin" / "python"
        self.packages = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
        (self.packages / "tests.pth").write_text(f"{HERE}\n")

    def aduana(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command without a terminal."""
        mine = {"PYTHONPATH": str(ROOT), "ADUANA_STATE_DIR": str(self.folder / "state"), "CMAKE_ARGS": ""}
        return subprocess.run(
            [self.python, "-m", "gateway", *words],
            cwd=self.folder,
            env=os.environ | mine | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    """A fresh environment."""
    return Venv(tmp_path)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """An index of wheels on loopback; its files are in `index/` of the test's folder."""
    (tmp_path / "index").mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "index")
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def publish(index: Path, text: str | None = None, version: str = VERSION) -> None:
    """Put a wheel for every system on the index: of this text as its bindings, or the one that the tests run with."""
    name = f"llama_cpp_python-{version}-py3-none-any.whl"
    page = index / "cpu" / "llama-cpp-python"
    page.mkdir(parents=True)
    (page / "index.html").write_text(f'<a href="/files/{name}">{name}</a>')
    (index / "files").mkdir()
    info = f"llama_cpp_python-{version}.dist-info"
    with zipfile.ZipFile(index / "files" / name, "w") as wheel:
        if text is None:
            installed = HERE / "llama_cpp"
            files = [file for file in installed.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
            for file in files:
                wheel.write(file, f"llama_cpp/{file.relative_to(installed)}")
        else:
            wheel.writestr("llama_cpp/__init__.py", "")
            wheel.writestr("llama_cpp/llama_cpp.py", text)
        wheel.writestr(f"{info}/METADATA", METADATA.replace(VERSION, version))
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def test_a_ready_made_build_is_installed_and_tried(venv: Venv, index: str, tmp_path: Path) -> None:
    """The size is said before; the build is installed here and nowhere else, and computes; `show` knows where from."""
    publish(tmp_path / "index")
    done = venv.aduana("engine", "install", "--cpu", "--no-starter", "--index", index)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"llama_cpp_python-{VERSION}-py3-none-any.whl (" in done.stdout
    assert " MB)" in done.stdout
    assert "it computes on this machine" in done.stdout
    assert (venv.packages / "llama_cpp").is_dir()
    assert (HERE / "llama_cpp").is_dir()
    shown = venv.aduana("engine", "show", "--json")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["works"] is True
    assert found["origin"].startswith(index)
    assert found["folder"] == str(venv.packages / "llama_cpp")


def test_a_build_for_another_cpu_is_noticed(venv: Venv, index: str, tmp_path: Path) -> None:
    """A build that dies of an illegal instruction is not called installed: compiling is offered, exit status 1."""
    publish(tmp_path / "index", "import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n")
    done = venv.aduana("engine", "install", "--cpu", "--no-starter", "--index", index)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "illegal instruction" in done.stdout
    assert "aduana engine install --cpu --compile" in done.stdout


def test_a_dry_run_installs_nothing(venv: Venv, index: str, tmp_path: Path) -> None:
    """What would be done is said, with sizes and commands."""
    publish(tmp_path / "index", "")
    done = venv.aduana("engine", "install", "--cpu", "--dry-run", "--index", index)
    assert done.returncode == 0, done.stderr
    assert f"{index}/files/llama_cpp_python-{VERSION}-py3-none-any.whl" in done.stdout
    assert f"{venv.python} -m pip install" in done.stdout
    assert not (venv.packages / "llama_cpp").exists()


SETUP = """
import os, sys
from pathlib import Path
from setuptools import setup
sys.stdout.write("[1/4] Building CXX object\\n[2/4] Building CXX object\\n[4/4] Linking\\n")
if "-DBREAK=on" in os.environ["CMAKE_ARGS"]:
    sys.exit("CMake Error: the toolkit is older than the moon")
Path("llama_cpp/llama_cpp.py").write_text("ARGUMENTS = " + repr(os.environ["CMAKE_ARGS"]))
setup(packages=["llama_cpp"])
"""


@pytest.fixture
def source(tmp_path: Path) -> dict[str, str]:
    """The variables with which pip finds a source distribution that shows its steps as llama.cpp's build does."""
    top = f"llama_cpp_python-{VERSION}"
    files = {
        "PKG-INFO": METADATA,
        "setup.cfg": f"[metadata]\nname = llama-cpp-python\nversion = {VERSION}\n",
        "setup.py": SETUP,
        "llama_cpp/__init__.py": "",
    }
    (tmp_path / "sources").mkdir()
    with tarfile.open(tmp_path / "sources" / f"{top}.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    # (pip reads this variable the wrong way round: 0 switches the isolation off.)
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "sources"), "PIP_NO_BUILD_ISOLATION": "0"}


def test_without_a_ready_made_build_it_is_compiled(venv: Venv, index: str, source: dict[str, str]) -> None:
    """An index without one: said; then it is compiled with progress, with the person's own arguments of CMake."""
    arguments = ("engine", "install", "--cpu", "--no-starter", "--index", index)
    done = venv.aduana(*arguments, **source | {"CMAKE_ARGS": "-DMINE=on"})
    assert "So it is compiled here." in done.stdout, done.stdout + done.stderr
    assert "compiling llama.cpp: 50 %" in done.stdout, done.stdout + done.stderr
    built = (venv.packages / "llama_cpp" / "llama_cpp.py").read_text()
    assert "-DMINE=on" in built
    assert "llama-cpp.cmake" in built


def test_a_compilation_that_fails_is_explained(venv: Venv, source: dict[str, str]) -> None:
    """The build's own last words are shown, exit status 2."""
    arguments = ("engine", "install", "--cpu", "--portable", "--no-starter")
    done = venv.aduana(*arguments, **source | {"CMAKE_ARGS": "-DBREAK=on"})
    assert done.returncode == 2
    assert "older than the moon" in done.stdout
    assert "could not be installed" in done.stdout


@pytest.fixture
def without_pip(venv: Venv) -> dict[str, str]:
    """The variables of an environment without pip, as those of `uv tool install`, and of a PATH with nothing on it."""
    hidden = venv.folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules.update(pip=None, ensurepip=None)\n")
    return {"PYTHONPATH": f"{hidden}{os.pathsep}{ROOT}", "PATH": str(hidden)}


def test_an_environment_without_pip_is_served_by_uv(venv: Venv, index: str, tmp_path: Path, without_pip) -> None:
    """What `uv tool install` made has no pip: uv installs into exactly that environment."""
    publish(tmp_path / "index", "")
    uv = venv.folder / "hidden" / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    uv.chmod(0o755)
    venv.aduana("engine", "install", "--cpu", "--no-starter", "--index", index, **without_pip)
    first, *_ = (tmp_path / "asked").read_text().splitlines()
    assert first.startswith(f"pip install --python {venv.python} --force-reinstall --no-deps {index}/files/")


def test_an_environment_without_any_installer_is_told(venv: Venv, index: str, tmp_path: Path, without_pip) -> None:
    """Neither pip nor uv: one sentence says so, exit status 2, and no traceback."""
    publish(tmp_path / "index", "")
    done = venv.aduana("engine", "install", "--cpu", "--no-starter", "--index", index, **without_pip)
    assert done.returncode == 2
    assert "no pip, and there is no uv" in done.stderr
    assert "Traceback" not in done.stderr
