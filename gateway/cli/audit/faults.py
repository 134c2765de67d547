"""What may go wrong while canaries come: each fault has a gateway of its own, and every dialect is tried in it."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import msgspec

from gateway.cli.audit.cases import Numbers, clean_one, through_all
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.gateway import Running, Setup, started
from gateway.cli.audit.recorder import Mode, Recorder

_SHORT = 1.5  # seconds that a target may take where one hangs


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong. Where `reaches` is true, a clean request still gets to the cloud: the way was open."""

    name: str
    cloud: tuple[Mode, ...] = (Mode.OK,)
    home: tuple[Mode, ...] = (Mode.OK,)
    reaches: bool = True
    wait: float = 20.0
    inspection_seconds: float | None = None
    act: Callable[[Setup, AuditClient, Numbers], list[Result]] | None = None  # instead of asking through all dialects


FAULTS = (
    Fault(name="local target: connection closed", home=(Mode.REFUSE,)),
    Fault(name="local target: answers 500", home=(Mode.ERROR,)),
    Fault(name="local target: answers 429", home=(Mode.BUSY,)),
    Fault(name="local target: prompt too long", home=(Mode.TOO_LONG,)),
    Fault(name="local target: hangs", home=(Mode.HANG,), wait=_SHORT),
    Fault(name="local target: answer cut off", home=(Mode.CUT, Mode.REFUSE, Mode.CUT)),
    Fault(name="cloud: 429, then again", cloud=(Mode.BUSY, Mode.ERROR, Mode.OK)),
    Fault(name="cloud: 500 until the breaker opens", cloud=(Mode.ERROR,)),
    Fault(name="cloud: answer cut off", cloud=(Mode.CUT,)),
    Fault(
        name="both: everything fails, then the cloud is back",
        home=(Mode.ERROR,),
        cloud=(Mode.ERROR, Mode.REFUSE, Mode.BUSY, Mode.OK),
    ),
    Fault(name="inspection: out of time", inspection_seconds=1e-9, reaches=False),
    Fault(
        name="ledger: can't be written",
        reaches=False,
        act=lambda setup, asking, numbers: _unwritable(setup, asking, numbers),
    ),
    Fault(name="policy: broken file on reload", act=lambda setup, asking, numbers: _reloaded(setup, asking, numbers)),
    Fault(name="client: goes away", home=(Mode.HANG,), act=lambda _, asking, numbers: _left(asking, numbers)),
)


def run_fault(fault: Fault, setup: Setup, client: Callable[[Running], AuditClient], numbers: Numbers) -> list[Result]:
    """Try all dialects while the fault lasts.

    Raises:
        DidNotStart: The gateway under audit never listened.
    """
    config = setup.write(wait=fault.wait, seconds=fault.inspection_seconds)
    with started(setup, config) as gateway:
        asking = client(gateway)
        with behaving(asking.cloud, asking.home, fault):
            if fault.act is not None:
                return fault.act(setup, asking, numbers)
            return asked(asking, fault.name, numbers, reaches=fault.reaches)


def asked(asking: AuditClient, name: str, numbers: Numbers, *, reaches: bool) -> list[Result]:
    """Send canaries, and clean requests before and behind them, which show whether the cloud could be reached."""
    group = f"fault · {name}"
    clean = asking.ask([clean_one(group, numbers)]) if reaches else []
    return [*clean, *asking.ask(through_all(group, numbers))]


@contextmanager
def behaving(cloud: Recorder, home: Recorder, fault: Fault) -> Iterator[None]:
    """Let the recorders fail as the fault says, as long as the context lasts."""
    cloud.behave(*fault.cloud)
    home.behave(*fault.home)
    try:
        yield
    finally:
        cloud.behave(Mode.OK)
        home.behave(Mode.OK)


def _unwritable(setup: Setup, asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Hold the ledger's database: no receipt can be written, so nothing at all may leave."""
    group = "fault · ledger: can't be written"
    files = sorted(setup.state.glob("*.db")) or sorted(setup.state.glob("*.sqlite*"))
    cases = [*through_all(group, numbers)]
    with closing(sqlite3.connect(files[0], timeout=20, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            return asking.ask(cases, at_once=len(cases))  # each waits for the ledger as long as it may
        finally:
            connection.execute("ROLLBACK")


def _reloaded(setup: Setup, asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Reload a policy that would let everything pass but is broken YAML: the old one must stay in force."""
    text = setup.policy_file.read_text("utf-8")
    try:
        setup.policy_file.write_text(text.replace("other: sensitive", "other: public") + "rules: [{name\n", "utf-8")
        asking.gateway.reload()
        time.sleep(1.0)
        return asked(asking, "policy: broken file on reload", numbers, reaches=True)
    finally:
        setup.policy_file.write_text(text, "utf-8")


def _left(asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Close the clients' connections while the local target hangs; nothing may be tried elsewhere behind them."""
    cases = list(through_all("fault · client: goes away", numbers))
    for case in cases:
        asking.leave(case, seconds=0.15)
    time.sleep(1.0)
    return [asking.judge(case, 0) for case in cases]
