"""How many cores there are to use, from the system's files."""

from pathlib import Path

import pytest

from gateway.engine.settings import EngineSettings
from gateway.engine.tuning.threads import granted_cpus, tuner_of, usable_cores


@pytest.mark.parametrize(
    ("groups", "files", "cpus"),
    [
        ("0::/", {}, None),
        ("0::/", {"cpu.max": "max 100000"}, None),
        ("0::/", {"cpu.max": "200000 100000"}, 2),
        ("0::/", {"cpu.max": "150000 100000"}, 1),
        ("0::/", {"cpu.max": "50000 100000"}, 1),
        ("0::/user.slice/app", {"user.slice/cpu.max": "300000 100000", "user.slice/app/cpu.max": "max 100000"}, 3),
        ("0::/a/b", {"a/cpu.max": "400000 100000", "a/b/cpu.max": "250000 100000"}, 2),
        ("0::/../outside", {"cpu.max": "100000 100000"}, 1),
        ("4:cpu,cpuacct:/docker/x", {"cpu/docker/x/cpu.cfs_quota_us": "200000"}, None),
        (
            "5:memory:/\n4:cpu:/docker/x",
            {"cpu/docker/x/cpu.cfs_quota_us": "200000\n", "cpu/docker/x/cpu.cfs_period_us": "100000\n"},
            2,
        ),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("0::/", {"cpu.max": "what is this"}, None),
        ("0::/", {"cpu.max": "1 0"}, None),
    ],
)
def test_limits_of_containers(groups: str, files: dict[str, str], cpus: int | None, tmp_path: Path) -> None:
    """Limits of both versions of control groups count, of all groups around too; none, or unreadable ones: unknown."""
    for name, text in {
        "proc/self/cgroup": groups,
        **{f"sys/fs/cgroup/{key}": text for key, text in files.items()},
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert granted_cpus(tmp_path) == cpus


def test_no_control_groups(tmp_path: Path) -> None:
    """Without control groups, or on another system, the number of granted CPUs is unknown."""
    assert granted_cpus(tmp_path) is None


@pytest.mark.parametrize(
    ("settings", "gpu", "adapts"),
    [
        (EngineSettings(model="m"), False, True),
        (EngineSettings(model="m", threads=2), False, False),
        (EngineSettings(model="m"), True, False),
        (EngineSettings(model="m", gpu_layers=0), True, True),
    ],
)
def test_when_the_number_adapts(settings: EngineSettings, gpu: bool, adapts: bool) -> None:
    """A configured number of threads stays, and with a GPU the number is not tuned."""
    assert (tuner_of(settings, 2, gpu=gpu, cores=lambda: 4) is not None) == adapts
    assert tuner_of(settings, 1, gpu=gpu, cores=lambda: 1) is None


def test_this_machine() -> None:
    """This machine has at least one core."""
    assert usable_cores() >= 1
