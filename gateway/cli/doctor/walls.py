"""What holds the processes that open other people's files."""

import asyncio
from collections.abc import Iterator

from gateway.app.attachments import missing_extras
from gateway.attachments.process import NoReader, ReaderProcess
from gateway.attachments.worker.sandbox import Wall
from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem

_WHAT = {
    Wall.LIMITS: "limits of memory and files",
    Wall.NAMESPACES: "namespaces without network",
    Wall.LANDLOCK: "Landlock",
    Wall.SECCOMP: "seccomp",
}
_HOW = {
    Wall.NAMESPACES: "The kernel forbids user namespaces: sysctl kernel.unprivileged_userns_clone=1, or, on Ubuntu, "
    "kernel.apparmor_restrict_unprivileged_userns=0; a container needs its own permission. The other walls stand.",
    Wall.LANDLOCK: "It takes Linux 5.13 or newer, with landlock among its security modules.",
    Wall.SECCOMP: "It takes Linux on x86-64 or ARM64 with seccomp.",
}


def walls(patient: Patient) -> Iterator[Finding]:
    """Yield which walls stand around a process that reads attachments: one is started, and ended."""
    config = patient.settings.attachments if patient.settings is not None else None
    if config is not None and not config.reads:
        yield ok("attachments are not read (attachments.read is off)")
        return
    try:
        standing = asyncio.run(_standing(config.memory if config is not None else 2**30))
    except NoReader:
        yield problem(
            "The process that reads attachments does not start, so each counts as sensitive.",
            "Run: python -m gateway.attachments.worker 1000000000 </dev/null, and see what it says.",
        )
        return
    yield ok(f"attachments are read behind: {', '.join(_WHAT[Wall(wall)] for wall in standing) or 'nothing'}")
    for wall in Wall:
        if wall not in standing:
            yield note(f"This system does not offer {_WHAT[wall]}.", _HOW.get(wall, ""))
    for missing in missing_extras():
        yield note(f"{missing} are not read.", "Run: aduana extras install documents")


async def _standing(memory: int) -> tuple[str, ...]:
    process = ReaderProcess(memory, "gateway.attachments.worker")
    try:
        await process.start()
        return process.protection or ()
    finally:
        await process.end()
