"""The installed build of llama.cpp is tried in a process of its own: what it can do, or how it died."""

from pathlib import Path

import pytest

from gateway.setup.engine_check import EngineCheck, check_engine
from tests.standins.machine import repack_works


def test_the_installed_build_computes() -> None:
    """The build that the tests run with computes on this CPU, and the repacking that crashes here is noticed."""
    found = check_engine()
    assert found.works, found.problem
    assert found.repack is repack_works()
    assert found.version
    assert [device.type for device in found.devices][-1] == "cpu"
    assert found.features
    assert found.step_ms
    assert found.on_card == found.gpu


@pytest.fixture
def build(tmp_path: Path, monkeypatch):
    """Return a function that puts a build in the place of the installed one: the text of its `llama_cpp.py`."""

    def put(text: str) -> EngineCheck:
        (tmp_path / "llama_cpp").mkdir()
        (tmp_path / "llama_cpp" / "__init__.py").write_text("")
        (tmp_path / "llama_cpp" / "llama_cpp.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return check_engine()

    return put


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "illegal instruction"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("raise RuntimeError('libcuda.so.1: cannot open shared object file')", "libcuda.so.1"),
        ("raise SyntaxError('nonsense')", "nonsense"),
    ],
    ids=["illegal instruction", "bad access", "no driver", "broken"],
)
def test_a_build_that_does_not_run_is_explained(build, text: str, said: str) -> None:
    """For another CPU, crashing, without its driver: the process dies, and this one says how."""
    found = build(text)
    assert not found.works
    assert said in found.problem
