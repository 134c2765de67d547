"""`aduana audit privacy`: no canary leaves through the real gateway, and a leak would be told."""

import pytest

from gateway.cli import main
from gateway.cli.audit import _report
from gateway.cli.audit_cases import Case, cases


def test_no_canary_reaches_the_cloud_and_clean_requests_do(capfd: pytest.CaptureFixture[str]) -> None:
    """The whole audit, as a user runs it."""
    assert main(["audit", "privacy"]) == 0
    assert " 0 leaks" in capfd.readouterr().out


def case(name: str, *, sensitive: bool) -> Case:
    return Case(name=name, sensitive=sensitive, path="/", body={}, marker=name)


@pytest.mark.parametrize(
    ("where_canary", "where_clean", "code"), [("home", "cloud", 0), ("cloud", "cloud", 1), ("home", "home", 1)]
)
def test_a_leak_or_an_audit_that_proves_nothing_is_a_failure(where_canary: str, where_clean: str, code: int) -> None:
    """A cloud that nothing reaches can't show that canaries were held back."""
    results = [(case("c", sensitive=True), 200, where_canary), (case("x", sensitive=False), 200, where_clean)]
    assert _report(results, verbose=False) == code


def test_every_marker_is_of_one_case_only() -> None:
    """Else one request's arrival would be taken for another's."""
    markers = [case.marker for case in cases()]
    assert len(set(markers)) == len(markers) > 150
