"""llama.cpp is loaded when it is used, with the libraries that NVIDIA's Python packages bring."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMPILER = shutil.which("cc")


def python(code: str, *places: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of Python that finds these places first."""
    path = os.pathsep.join(map(str, (*places, ROOT)))
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_importing_the_engine_loads_no_llama_cpp() -> None:
    """A gateway without embedded models carries no llama.cpp in its memory."""
    done = python(
        "import gateway.app.wiring, gateway.engine.llama.model, sys; "
        "print([name for name in sys.modules if name.startswith('llama_cpp')])"
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A llama_cpp whose library needs libcublas.so.12, which only a Python package of NVIDIA's has."""
    if COMPILER is None or not sys.platform.startswith("linux"):
        pytest.skip("there is no C compiler here")
    package, nvidia = tmp_path / "llama_cpp", tmp_path / "elsewhere" / "nvidia" / "cublas" / "lib"
    package.mkdir()
    nvidia.mkdir(parents=True)
    source = tmp_path / "source.c"
    source.write_text("int answer(void) { return 42; }")
    blas = nvidia / "libcublas.so.12"
    subprocess.run([COMPILER, "-shared", "-o", blas, source, "-Wl,-soname,libcublas.so.12"], check=True)
    source.write_text("int answer(void); int ask(void) { return answer(); }")
    subprocess.run([COMPILER, "-shared", "-o", package / "libllama.so", source, blas], check=True)
    (package / "__init__.py").write_text("")
    (package / "llama_cpp.py").write_text(
        "import ctypes, pathlib\n"
        "try:\n"
        "    _lib = ctypes.CDLL(str(pathlib.Path(__file__).with_name('libllama.so')))\n"
        "except OSError as error:\n"
        "    raise RuntimeError(f'Failed to load shared library: {error}')\n"
        "ask = _lib.ask\n"
    )
    return tmp_path


def test_libraries_of_nvidias_packages_are_found(build: Path) -> None:
    """A wheel with CUDA runs where cuBLAS came with pip, without LD_LIBRARY_PATH."""
    done = python("from gateway.engine.llama.bindings import C; print(C.ask())", build, build / "elsewhere")
    assert done.stdout.strip() == "42", done.stderr


def test_a_library_that_is_nowhere_is_named(build: Path) -> None:
    """Without cuBLAS the error says which library is missing."""
    done = python("from gateway.engine.llama.bindings import C; print(C.ask())", build)
    assert done.returncode == 1
    assert "ImportError: llama.cpp can't be loaded" in done.stderr
    assert "libcublas.so.12" in done.stderr
