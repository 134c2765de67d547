"""`aduana engine show`: the installed build of llama.cpp, and whether it computes on this machine."""

import argparse

import msgspec

from gateway.cli.engine.telling import say
from gateway.setup.engine_builds import Backend
from gateway.setup.engine_check import EngineCheck, check_engine
from gateway.setup.machine import Machine, this_machine


def run(args: argparse.Namespace) -> int:
    """Try the build, print what was found, and return 0; 1 where it does not compute."""
    found, machine = check_engine(), this_machine()
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        for line in lines(found, machine):
            say(line)
    return 0 if found.works else 1


def lines(found: EngineCheck, machine: Machine) -> list[str]:
    """Say for people what was found."""
    if not found.version:
        return [found.problem]
    said = [f"llama-cpp-python {found.version} in {found.folder}"]
    if found.origin:
        said.append(f"  from {found.origin}")
    for device in found.devices:
        memory = f", {device.memory / 2**30:.1f} GiB" if device.memory else ""
        said.append(f"  computes on {device.name}: {device.description}{memory}")
    if found.features:
        said.append(f"  built for {', '.join(found.features)}")
    return [*said, *verdict(found, machine)]


def verdict(found: EngineCheck, machine: Machine, wanted: Backend | None = None) -> list[str]:
    """Say whether it works, and what to do where something is amiss. `wanted`: what was just installed."""
    if not found.works:
        return [f"  problem  {found.problem}"]
    said = ["  ok       it computes on this machine"]
    if not found.repack:
        said.append(
            "  note     it crashes with weights repacked for this CPU; the gateway notices that at the first start and "
            "does without"
        )
    if wanted not in (None, "cpu") and not found.on_card:
        said.append(
            f"  problem  it sees no card, so the CPU computes. A part of the driver may be missing, or the card is not "
            f"for {wanted}: 'aduana doctor'"
        )
    elif wanted is None and any(gpu.usable for gpu in machine.gpus) and not found.on_card:
        said.append("  note     a card is in this machine, and this build does not use it: 'aduana engine install'")
    return said
