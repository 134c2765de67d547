"""For each machine the build of llama.cpp that fits its card, driver and processor, with the reason in a sentence."""

import pytest

from gateway.setup.engine_builds import Build, build_for
from gateway.setup.machine import Cpu, Gpu, Machine


def machine(*gpus: Gpu, cuda: str = "", **others: object) -> Machine:
    """A Linux machine with these cards."""
    cpu = Cpu(flags=frozenset({"avx2"}))
    values = {"system": "Linux", "processor": "x86_64", "cpu": cpu, "cuda": cuda, "nvidia_driver": cuda and "1.2"}
    return Machine(gpus=gpus, **(values | others))  # type: ignore[arg-type]


def nvidia(capability: str, name: str = "NVIDIA Card") -> Gpu:
    """One card of NVIDIA's."""
    return Gpu(maker="nvidia", name=name, capability=capability)


@pytest.mark.parametrize(
    ("capabilities", "driver", "index"),
    [
        (["8.9"], "12.4", "cu124"),
        (["8.9"], "12.8", "cu125"),  # the newest for CUDA 12 that is not newer than the driver
        (["8.9"], "12.0", "cu118"),
        (["8.9"], "13.0", "cu130"),
        (["8.6"], "13.1", "cu130"),
        (["12.0"], "13.5", "cu132"),
        (["6.1"], "13.0", "cu125"),  # CUDA 13 has left Pascal behind
        (["7.0"], "13.2", "cu125"),
        (["8.9", "6.1"], "13.2", "cu125"),  # the oldest card decides
        (["6.1"], "11.8", "cu118"),
        (["9.0"], "11.8", ""),  # nothing for CUDA 11 runs there
        (["12.0"], "12.0", ""),
        (["5.2"], "12.4", ""),  # a card older than all of them
        (["8.9"], "11.4", ""),  # a driver older than all of them
        ([""], "12.4", "cu124"),  # a card that does not say what it is
    ],
)
def test_nvidias_cards_and_drivers(capabilities: list[str], driver: str, index: str) -> None:
    """The newest toolkit that the driver runs and that has code for every card; none: it is compiled."""
    found = build_for(machine(*map(nvidia, capabilities), cuda=driver))
    assert (found.backend, found.index) == ("cuda", index)
    assert not found.missing
    if index:
        major = index[2:4]
        assert found.packages == (f"cuda-toolkit[cublas,cudart]=={major}.{index[4:]}.*",)
        assert found.libraries[-1] == f"libcublas.so.{major}"


def test_a_new_card_is_told_that_its_first_start_is_slow() -> None:
    """Blackwell runs by translated code: said before, with the way around."""
    told = " ".join(build_for(machine(nvidia("12.0"), cuda="13.2")).why)
    assert "12.0" in told
    assert "--compile" in told
    assert "--compile" not in " ".join(build_for(machine(nvidia("8.9"), cuda="13.2")).why)


AMD = Gpu(maker="amd", name="Radeon")
APPLE = Gpu(maker="apple", name="Apple GPU (Metal)")
MAC = {"system": "Darwin", "processor": "arm64", "cpu": Cpu()}
OLD = {"cpu": Cpu(flags=frozenset({"avx"}))}


@pytest.mark.parametrize(
    ("found", "backend", "index", "word"),
    [
        (build_for(machine()), "cpu", "cpu", "no graphics card"),
        (build_for(machine(AMD, vulkan=True)), "vulkan", "vulkan", "Radeon"),
        (build_for(machine(AMD)), "cpu", "cpu", "mesa-vulkan-drivers"),
        (build_for(machine(AMD, rocm="7.2.4", vulkan=True), "rocm"), "rocm", "rocm72", "Radeon"),
        (build_for(machine(APPLE, **MAC)), "metal", "metal", "Metal"),
        (build_for(machine(**OLD)), "cpu", "", "AVX2"),
        (build_for(machine(nvidia("8.9"), cuda="12.4"), "cpu"), "cpu", "cpu", ""),
        (build_for(machine(Gpu(maker="nvidia", usable=False), problems=("No driver.",))), "cpu", "cpu", "No driver."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_machines(found: Build, backend: str, index: str, word: str) -> None:
    """AMD, Intel, Apple, no card, an old CPU, a card without a driver: each gets what it can use, and hears why."""
    assert (found.backend, found.index) == (backend, index)
    assert not found.missing
    assert word in " ".join(found.why)


@pytest.mark.parametrize(
    ("wanted", "word"),
    [("cuda", "nvidia-smi"), ("vulkan", "libvulkan1"), ("rocm", "ROCm 7"), ("metal", "Macs")],
)
def test_what_a_machine_lacks_is_said(wanted: str, word: str) -> None:
    """Who asks for a build that the machine can't use hears what is missing, before anything is installed."""
    assert word in " ".join(build_for(machine(), wanted).missing)  # type: ignore[arg-type]


def test_an_older_rocm_is_named() -> None:
    """ROCm 6 is not enough, and the version that is here is said."""
    assert "here is 6.4.1" in " ".join(build_for(machine(AMD, rocm="6.4.1"), "rocm").missing)
