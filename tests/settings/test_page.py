"""`docs/settings.md` is what the settings themselves say, and what it promises about variables holds."""

from pathlib import Path

from gateway.settings import load_settings
from gateway.settings.page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_page_is_up_to_date():
    """The committed page is what `python -m gateway.settings.page` prints."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_variables_reach_every_level_and_leave_the_rest_of_the_file_alone(monkeypatch, tmp_path):
    """A variable sets one value of one named target; a list may be JSON, as the page says."""
    (tmp_path / "aduana.yaml").write_text("targets: {home: {kind: embedded, model: m, slots: 3}}")
    monkeypatch.setenv("ADUANA_TARGETS__HOME__CONTEXT", "16384")
    monkeypatch.setenv("ADUANA_TARGETS__HOME__DRAFT__TOKENS", "4")
    monkeypatch.setenv("ADUANA_POLICY", '["/etc/my-policy.yaml"]')
    settings = load_settings(tmp_path / "aduana.yaml")
    home = settings.targets["home"]
    assert (home.model, home.slots, home.context, home.draft.tokens) == ("m", 3, 16384, 4)
    assert settings.policy == (Path("/etc/my-policy.yaml"),)


def test_every_setting_says_what_it_does():
    """No row of the page is without a meaning."""
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row[0] for row in rows if not row[3].strip()] == []
