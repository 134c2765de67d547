"""Each fault has its line, says what is wrong, and what to do; where nothing is wrong, nothing is to be done."""

import pytest

from gateway.console.views.health import NOTE, OK, PROBLEM, general, target_line
from gateway.core.target import TargetState
from gateway.server import Readiness

WELL = {"ledger": "ok", "policy": "abc", "names": "ok", "attachments": "read"}


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    """Every part has a line, and none has advice."""
    lines = general(Readiness(ready=True, details=WELL))
    assert [line.name for line in lines] == ["Ledger", "Policy", "API keys", "Search for names", "Attachments"]
    assert {(line.state, line.advice) for line in lines} == {(OK, "")}


@pytest.mark.parametrize(
    ("details", "name", "state"),
    [
        ({"ledger": "the disk is full"}, "Ledger", PROBLEM),
        ({"policy_problem": "The last reload was refused"}, "Policy", PROBLEM),
        ({"keys_problem": "a file is gone"}, "API keys", PROBLEM),
        ({"certificate_problem": "The certificate expires on 2027-01-02: renew a.pem."}, "Certificate", PROBLEM),
        ({"state_problem": "the key is lost"}, "State directory", PROBLEM),
        ({"names": "The model is gone."}, "Search for names", PROBLEM),
        ({"attachments": "not read (attachments.read is off): each is a doubt"}, "Attachments", NOTE),
        ({"attachments": "read, but pictures are not: run 'aduana extras install documents'"}, "Attachments", NOTE),
        ({"attachments": "read; the processes are held by nothing that this system offers"}, "Attachments", NOTE),
        ({"background": {"key reload": "died (OSError), is begun again"}}, "key reload", PROBLEM),
    ],
)
def test_each_fault_says_what_to_do(details, name, state) -> None:
    """The line tells the fault in its own words, with advice."""
    line = next(line for line in general(Readiness(ready=False, details=WELL | details)) if line.name == name)
    assert line.state == state
    assert line.told
    assert line.advice


@pytest.mark.parametrize(
    ("state", "shown", "told"),
    [
        (TargetState(), OK, "up"),
        (TargetState(loaded=False), OK, "not loaded"),
        (TargetState(healthy=False), PROBLEM, "down"),
        (TargetState(healthy=False, problem="Its file is gone."), PROBLEM, "failed: Its file is gone."),
        (TargetState(open_until=20.0), PROBLEM, "left alone after faults"),
        (TargetState(open_until=5.0), OK, "up"),
    ],
)
def test_a_target_says_how_it_is(state, shown, told) -> None:
    """A target that can't answer has advice; one that sleeps is no fault."""
    line = target_line("home", state, 10.0)
    assert (line.state, line.told) == (shown, told)
    assert bool(line.advice) is (shown == PROBLEM)
