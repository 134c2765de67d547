"""The audit's verdict: what makes it fail, and what it prints."""

import pytest

from gateway.cli.audit.cases import AuditCase
from gateway.cli.audit.client import Result
from gateway.cli.audit.report import MAY_BE_KEPT, exit_code, show, verdict


def result(name: str, where: str, *, sensitive: bool, leak: bool = False) -> Result:
    case = AuditCase(group="g", name=name, sensitive=sensitive, path="/", body={}, marker=name)
    return Result(case=case, status=200, where=where, leak=leak)


@pytest.mark.parametrize(
    ("canary", "clean", "code"), [("home", "cloud", 0), ("cloud", "cloud", 1), ("home", "home", 1)]
)
def test_a_leak_or_an_audit_that_proves_nothing_is_a_failure(canary: str, clean: str, code: int) -> None:
    """The audit fails on a leak, and where nothing reaches the cloud, for then nothing was held back either."""
    results = [
        result("c", canary, sensitive=True, leak=canary == "cloud"),
        result("x", clean, sensitive=False),
    ]
    assert exit_code(results) == code
    counts = verdict("all", results)
    assert (counts.canaries, counts.leaks, counts.clean) == (1, int(canary == "cloud"), 1)


@pytest.mark.parametrize(("kept", "code"), [(0, 0), (int(20 * MAY_BE_KEPT), 0), (int(20 * MAY_BE_KEPT) + 1, 3)])
def test_too_many_harmless_requests_kept_are_a_failure_of_its_own(kept: int, code: int) -> None:
    """Where more than the stated share of a kind is kept at home, the exit status is 3; up to it, 0."""
    results = [result(f"x{number}", "home" if number < kept else "cloud", sensitive=False) for number in range(20)]
    assert exit_code(results) == code


def test_what_had_to_stay_and_what_had_to_get_out_have_a_table_each(capsys: pytest.CaptureFixture[str]) -> None:
    """The page has both tables, the name of each leak and of each harmless request that was kept."""
    show(
        [
            result("a letter", "cloud", sensitive=True, leak=True),
            result("a greeting", "home", sensitive=False),
            result("a hash", "cloud", sensitive=False),
        ]
    )
    page = capsys.readouterr().out
    assert "what had to stay" in page
    assert "what had to get out" in page
    assert "LEAK g: a letter" in page
    assert "kept back g: a greeting" in page
    assert "1 canaries: 1 leaks; 2 harmless requests: 1 kept, 1 kinds more than they may be." in page
