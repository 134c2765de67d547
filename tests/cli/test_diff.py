"""`aduana diff`: where two policies decide recorded requests differently."""

from gateway.cli import main
from tests.cli.house import record_three, write
from tests.policy.house import SHAPE


def test_diff_shows_where_two_policies_differ(config, tmp_path, capsys):
    """Recorded facts are decided under both; requests before --since are left out."""
    record_three(tmp_path / "state")
    old = write(tmp_path, "old.yaml", SHAPE)
    new = write(
        tmp_path, "new.yaml", SHAPE.replace("default: internal", "default: public").replace("[big, home]", "[home]")
    )
    assert main(["diff", new, "--policy", old, "--since", "1h"]) == 1
    out = capsys.readouterr().out
    assert "3 recorded requests, 2 decided differently" in out
    assert "no longer may leave" in out
    assert "another label" in out
    assert "-0.0200 USD" in out
    assert main(["diff", old, "--policy", old]) == 0
