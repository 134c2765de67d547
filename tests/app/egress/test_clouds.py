"""Which variables of the environment are the clouds' alone."""

import pytest

from gateway.app.egress.clouds import only_for_clouds
from gateway.settings import Settings

CLOUD = {"kind": "openai", "zone": "cloud", "base_url": "https://cloud.example/v1", "model": "m"}
HOME = CLOUD | {"zone": "local", "base_url": "http://127.0.0.1:9/v1"}


@pytest.mark.parametrize(("process", "found"), [("child", {"ONE"}), ("unit", set()), ("none", set())])
def test_what_else_needs_stays(process: str, found: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that a server at home or a key of the gateway reads, too, is not taken away."""
    monkeypatch.delenv("ADUANA_EGRESS__PROCESS")
    unit = {"socket": "/run/s", "key": "env:SEAL"} if process == "unit" else {}
    settings = Settings(
        egress={"process": process, **unit},
        keys={"app": {"secret": "env:TWO"}},
        targets={
            "a": CLOUD | {"api_key": "env:ONE"},
            "b": CLOUD | {"api_key": "env:TWO"},
            "c": CLOUD | {"api_key": "env:THREE"},
            "d": HOME | {"api_key": "env:THREE"},
            "e": CLOUD | {"api_key": "file:/four"},
        },
    )
    assert only_for_clouds(settings) == found
