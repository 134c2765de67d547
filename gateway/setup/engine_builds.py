"""Which build of llama.cpp fits a machine: a wheel of llama-cpp-python's own indexes, or what to compile. Pure.

Indexes, compute capabilities and what the wheels leave to the system are taken from llama-cpp-python 0.3.36: its README
and the workflows that build its wheels (https://github.com/abetlen/llama-cpp-python).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TypeAlias, get_args

import msgspec

from gateway.setup.machine import Machine

Backend: TypeAlias = Literal["cuda", "vulkan", "rocm", "metal", "cpu"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
INDEX_ROOT = "https://abetlen.github.io/llama-cpp-python/whl"

_CUDA = ((11, 8), (12, 1), (12, 2), (12, 3), (12, 4), (12, 5), (13, 0), (13, 2))
_OLDEST_CARD = {11: (6, 0), 12: (6, 0), 13: (7, 5)}  # compute capability, by CUDA's major version
# For cards beyond, the driver translates code; CUDA 11.8 has none for these, nor for 9.0 itself.
_NEWEST_COMPILED = (9, 0)
_ROCM = 7
_AVX2 = "avx2"


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """A build for one machine. All texts are sentences for people.

    `index`: its name below INDEX_ROOT; empty: there is no ready-made one, so it is compiled. `why`: how it was chosen.
    `missing`: what the machine lacks for it. `packages`: further Python packages that bring `libraries`, which are
    needed only where the system has none of them.
    """

    backend: Backend
    index: str = ""
    why: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


class Compilation(msgspec.Struct, frozen=True, kw_only=True):
    """What compiling takes: arguments of CMake, and programs with what to do where one is missing."""

    arguments: str
    programs: Mapping[str, str]
    time: str


_VULKAN_TOOLS = "Debian, Ubuntu: 'sudo apt install libvulkan-dev glslc spirv-headers'"
_COMPILER = {"c++": "a C++ compiler (Debian, Ubuntu: 'sudo apt install g++'; macOS: 'xcode-select --install')"}
COMPILATIONS: Mapping[Backend, Compilation] = {
    "cpu": Compilation(arguments="", programs=_COMPILER, time="2 to 6 minutes on two cores"),
    "metal": Compilation(arguments="-DGGML_METAL=on", programs=_COMPILER, time="a few minutes"),
    "cuda": Compilation(
        arguments="-DGGML_CUDA=on",
        programs=_COMPILER | {"nvcc": "NVIDIA's CUDA toolkit, with 'nvcc' on the PATH (/usr/local/cuda/bin)"},
        time="10 minutes and more",
    ),
    "vulkan": Compilation(
        arguments="-DGGML_VULKAN=on",
        programs=_COMPILER | {"glslc": f"Vulkan's headers and shader compiler ({_VULKAN_TOOLS})"},
        time="5 minutes and more",
    ),
    "rocm": Compilation(
        arguments="-DGGML_HIP=on",
        programs=_COMPILER | {"hipcc": "AMD's ROCm, with 'hipcc' on the PATH (/opt/rocm/bin)"},
        time="10 minutes and more",
    ),
}


def build_for(machine: Machine, wanted: Backend | None = None) -> Build:
    """Return the build that fits a machine. `wanted`: what a person asked for; None: the best that it can use."""
    choose: Mapping[Backend, Callable[[Machine], Build]] = {
        "cuda": _cuda,
        "vulkan": _vulkan,
        "rocm": _rocm,
        "metal": _metal,
        "cpu": _cpu,
    }
    return choose[wanted](machine) if wanted is not None else choose[_best(machine)](machine)


def _best(machine: Machine) -> Backend:
    makers = {gpu.maker for gpu in machine.gpus if gpu.usable}
    if "nvidia" in makers and machine.cuda:
        return "cuda"
    if "apple" in makers:
        return "metal"
    return "vulkan" if makers & {"amd", "intel"} and machine.vulkan else "cpu"


def _cuda(machine: Machine) -> Build:
    cards = [gpu for gpu in machine.gpus if gpu.maker == "nvidia" and gpu.usable]
    capabilities = [_version(gpu.capability) for gpu in cards if gpu.capability]
    driver = _version(machine.cuda)
    if not cards or not driver:
        missing = machine.problems or ("No NVIDIA card answers: install its driver, so that 'nvidia-smi' lists it.",)
        return Build(backend="cuda", missing=missing)
    why = [
        f"{_and(gpu.name or 'an NVIDIA card' for gpu in cards)}; the driver {machine.nvidia_driver} runs CUDA up to "
        f"{machine.cuda}."
    ]
    fitting = [
        toolkit for toolkit in _CUDA if toolkit <= driver and all(_suits(toolkit, card) for card in capabilities)
    ]
    if not fitting:
        why.append("No ready-made build is for such a driver and card: the oldest is for CUDA 11.8.")
        return Build(backend="cuda", why=tuple(why))
    major, minor = fitting[-1]
    newer = [card for card in capabilities if card > _NEWEST_COMPILED]
    if newer:
        capability = ".".join(map(str, max(newer)))
        why.append(
            f"Ready-made builds have no code of their own for compute capability {capability}: the driver translates "
            "theirs when a model first loads, which takes minutes once. '--compile' makes code for this card."
        )
    return Build(
        backend="cuda",
        index=f"cu{major}{minor}",
        why=tuple(why),
        packages=(f"cuda-toolkit[cublas,cudart]=={major}.{minor}.*",),
        libraries=(f"libcudart.so.{'11.0' if major == 11 else major}", f"libcublas.so.{major}"),
    )


def _suits(toolkit: tuple[int, int], card: tuple[int, ...]) -> bool:
    return card >= _OLDEST_CARD[toolkit[0]] and (toolkit[0] > 11 or card < _NEWEST_COMPILED)


def _vulkan(machine: Machine) -> Build:
    missing = () if machine.vulkan else (
        "Vulkan's loader or a driver is missing: Debian, Ubuntu: 'sudo apt install libvulkan1 mesa-vulkan-drivers' "
        "(NVIDIA's driver brings its own).",
    )  # fmt: skip
    why = (f"{_and(gpu.name for gpu in machine.gpus if gpu.usable) or 'No card that answers'}, by Vulkan.",)
    return Build(backend="vulkan", index="vulkan", why=why, missing=missing, libraries=("libvulkan.so.1",))


def _rocm(machine: Machine) -> Build:
    version = _version(machine.rocm)
    missing = () if version and version[0] == _ROCM else (
        f"AMD's ROCm {_ROCM} is needed ({f'here is {machine.rocm}' if version else 'there is none in /opt/rocm'}): "
        "https://rocm.docs.amd.com. '--vulkan' does without.",
    )  # fmt: skip
    why = (f"{_and(gpu.name for gpu in machine.gpus if gpu.maker == 'amd') or 'No AMD card'}, by ROCm.",)
    return Build(backend="rocm", index="rocm72", why=why, missing=missing, libraries=("libamdhip64.so.7",))


def _metal(machine: Machine) -> Build:
    if machine.system != "Darwin":
        return Build(backend="metal", missing=("Metal is for Macs.",))
    return Build(backend="metal", index="metal", why=("Apple's GPU, by Metal.",))


def _cpu(machine: Machine) -> Build:
    others = [gpu for gpu in machine.gpus if gpu.maker in ("amd", "intel") and gpu.usable]
    why = [*machine.problems]
    if others and not machine.vulkan:
        why.append(
            f"{_and(gpu.name for gpu in others)} could be used by Vulkan, whose loader or driver is missing (Debian, "
            "Ubuntu: 'sudo apt install libvulkan1 mesa-vulkan-drivers', then '--vulkan')."
        )
    elif not machine.gpus:
        why.append("There is no graphics card, so the CPU computes.")
    if machine.processor == "x86_64" and machine.cpu.flags and _AVX2 not in machine.cpu.flags:
        why.append("This CPU has no AVX2, which ready-made builds use.")
        return Build(backend="cpu", why=tuple(why))
    return Build(backend="cpu", index="cpu", why=tuple(why))


def _version(text: str) -> tuple[int, ...]:
    """Return a version's first two numbers; empty where there are none."""
    numbers = text.split(".")[:2]
    return tuple(int(number) for number in numbers) if all(number.isdigit() for number in numbers) else ()


def _and(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(name for name in names if name))
