"""What programs that the gateway starts for itself find in their environment."""

import subprocess
import sys

from gateway.local.worker_environment import worker_environment

GIVEN = {"CUDA_VISIBLE_DEVICES": "1", "GGML_LOG": "x", "OMP_NUM_THREADS": "2"}
SECRETS = ("NVIDIA_API_KEY", "LLAMA_API_KEY", "OPENAI_API_KEY", "HIP_TOKEN", "PYTHON_KEYRING_PASSWORD")


def test_workers_get_what_libraries_read_and_no_key(monkeypatch):
    """What libraries and drivers read is there; a key is not, also one whose name begins like what they read."""
    for name, value in (GIVEN | dict.fromkeys(SECRETS, "secret")).items():
        monkeypatch.setenv(name, value)
    found = worker_environment()
    assert GIVEN.items() <= found.items()
    assert found.keys().isdisjoint(SECRETS)
    assert "secret" not in found.values()


def test_workers_run_nothing_of_the_folder_that_the_gateway_was_started_in(tmp_path):
    """A project there that has a folder `gateway`, or a file named like one of Python's own, is not what runs."""
    (tmp_path / "gateway").mkdir()
    for name in ("gateway/__init__.py", "queue.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong file')")
    command = [sys.executable, "-m", "gateway.egress"]
    done = subprocess.run(command, cwd=tmp_path, env=worker_environment(), capture_output=True, text=True, timeout=60)
    assert "the wrong file" not in done.stderr
