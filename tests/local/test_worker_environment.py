"""What programs that the gateway starts for itself find in their environment."""

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
