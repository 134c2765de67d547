"""When a managed server that died is started again, as a table."""

import pytest

from gateway.local.managed.restarts import Death, RestartPolicy
from gateway.local.managed.settings import ServerSettings

SETTINGS = ServerSettings(command=("x",), restart_limit=5, restart_longest=4.0, stable_after=60.0, retry_failed=300.0)


def death(served: float | None = None) -> Death:
    return Death(cause="exit_1", detail="It ended here: /path.", public="It ended.", served=served)


@pytest.mark.parametrize(
    ("served", "pauses"),
    [
        ((None, None, None, None, None, None), (0, 1, 2, 4, 300, 300)),  # it never becomes ready
        ((1.0, 1.0, 1.0), (0, 1, 2)),  # each one serves for a moment
        ((1.0, 1.0, 100.0, 1.0), (0, 1, 0, 1)),  # one that served well makes up for all
        ((None, None, None, None, 100.0), (0, 1, 2, 4, 0)),
    ],
)
def test_pauses_grow_with_failures_in_a_row(served: tuple[float | None, ...], pauses: tuple[float, ...]) -> None:
    """The first death is answered at once, then more and more slowly, and in the end at a long interval."""
    policy = RestartPolicy(SETTINGS)
    assert tuple(policy.after(death(seconds)).pause for seconds in served) == pauses


def test_what_is_said_grows_with_failures_in_a_row() -> None:
    """Nothing after the first death, then what happened, then how often; clients read no more than they may."""
    policy = RestartPolicy(SETTINGS)
    said = [policy.after(death()) for _ in range(5)]
    assert [one.problem for one in said[:2]] == ["", "It ended here: /path."]
    assert [one.public_problem for one in said[:2]] == ["", "It ended."]
    assert (said[-1].failed, said[-1].problem) == (True, "It failed 5 times in a row. It ended here: /path.")
    assert said[-1].public_problem == "It failed 5 times in a row. It ended."
