"""NVIDIA cards through the real nvidia-ml-py, over a stand-in for the driver's library."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import msgspec
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

SCRIPT = """
    import json
    import msgspec
    from gateway.observe.energy.meters import Nvml

    meter = Nvml()
    result = {"problem": meter.problem, "ticks": [], "gpus": []}
    for _ in range(6):
        result["ticks"].append([msgspec.to_builtins(tick) for tick in meter.read(2.0, 1.0)])
        result["gpus"].append([msgspec.to_builtins(gpu) for gpu in meter.gpus()])
    result["after"] = meter.problem
    meter.close()
    print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler (Debian: apt install gcc)")
    folder = tmp_path_factory.mktemp("nvml")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, HERE / "fake_nvml.c"], check=True)
    return folder


def read(mode: str, folder: Path | None, script: str = SCRIPT) -> Any:
    """Six readings, two seconds apart by the meter's clock."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    environment |= {"FAKE_NVML": mode, "LD_LIBRARY_PATH": str(folder) if folder else ""}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return msgspec.json.decode(done.stdout)


def test_the_energy_counter_is_preferred(driver: Path) -> None:
    """250 J in two seconds are 125 W, whatever the momentary power says."""
    result = read("counter", driver)
    assert result["problem"] is None
    assert result["ticks"] == [[{"device": "gpu0", "source": "counter", "joules": 250.0, "watts": 125.0}]] * 6
    assert result["gpus"][0] == [
        {
            "name": "gpu0",
            "model": "NVIDIA GeForce RTX 4090",
            "power": 200.0,
            "utilization": 0.87,
            "memory_used": 11 * 2**30,
            "memory_total": 24 * 2**30,
            "temperature": 64.0,
        }
    ]


def test_without_a_counter_power_is_integrated_and_says_so(driver: Path) -> None:
    """From 100 W to 200 W in two seconds: 300 J, then 400 J a reading; the source is `power`."""
    result = read("power", driver)
    assert [tick[0]["joules"] for tick in result["ticks"]] == [300.0] + [400.0] * 5
    assert {tick[0]["source"] for tick in result["ticks"]} == {"power"}


def test_a_lost_card_becomes_unknown(driver: Path) -> None:
    """Readings stop rather than repeat; nothing raises; the driver is tried again later."""
    result = read("lost", driver)
    assert [len(ticks) for ticks in result["ticks"]] == [1, 1, 0, 0, 0, 0]
    assert result["gpus"][1][0]["utilization"] == 0.87
    assert result["gpus"][2] == []
    assert result["after"] == "no GPU answers any more"


MUTE = """
    import json
    import msgspec
    from gateway.observe.energy.sampler import find_meters
    from gateway.observe.settings import EnergySettings

    meters = find_meters(EnergySettings(amd=False, idle_watts=20, busy_watts=200))
    ticks = [msgspec.to_builtins(tick) for meter in meters for tick in meter.read(10.0, 0.5)]
    gpus = [msgspec.to_builtins(gpu) for meter in meters for gpu in meter.gpus()]
    print(json.dumps({"ticks": ticks, "gpus": gpus}))
"""


def test_a_card_that_does_not_say_what_it_draws_leaves_the_estimate_in_force(driver: Path) -> None:
    """Its load and memory are read all the same; the configured powers stand for the machine's energy, once."""
    result = read("mute", driver, MUTE)
    assert result["ticks"] == [{"device": "machine", "source": "estimate", "joules": 1100.0, "watts": 110.0}]
    assert [(gpu["name"], gpu["utilization"]) for gpu in result["gpus"]] == [("gpu0", 0.87)]


def test_a_card_that_says_what_it_draws_needs_no_estimate(driver: Path) -> None:
    """The configured powers are for what can't be measured."""
    ticks = read("counter", driver, MUTE)["ticks"]
    assert "estimate" not in {tick["source"] for tick in ticks}


def test_without_the_library_there_is_nothing_to_read(tmp_path: Path) -> None:
    """A machine without NVIDIA's driver has no readings, and the meter says why."""
    result = read("counter", tmp_path)
    assert result["ticks"] == [[]] * 6
    assert "not found" in result["problem"].lower()
