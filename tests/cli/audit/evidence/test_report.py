"""The page for the auditor: whole, from one file, in either language, also of what is not proved."""

import html
import re
from pathlib import Path

from gateway.cli import main
from tests.ledger.chain.house import Office, recorded, tamper


def page(office: Office, *more: str, lang: str = "en") -> tuple[int, str]:
    """Write the page, and return the command's status and the page's text with its markup."""
    output = office.state.parent / "report.html"
    options = ["--public-key", str(office.public_key), "--checkpoints", str(office.file), "--timezone", "Europe/Madrid"]
    code = main(["audit", "report", str(office.state), *options, "--lang", lang, "--output", str(output), *more])
    return code, output.read_text(encoding="utf-8")


def text_of(markup: str) -> str:
    """Return what a reader reads."""
    body = re.sub(r"<style>.*?</style>", "", markup, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


async def test_the_page_says_what_is_proved_and_what_is_not(tmp_path: Path) -> None:
    """Verdict, claims, counts, policies, checkpoints, the command to verify it, and the limits; nothing loaded."""
    office = await recorded(tmp_path)
    code, markup = page(office, "--tag", "patient", "--label", "sensitive")
    said = text_of(markup)
    assert code == 0
    for sentence in (
        "All of it is proved.",
        "No request tagged patient had a cloud among its permitted targets",
        "Nothing was removed or changed up to the checkpoint of 2026-11-23 13:30",
        "sensitive 10 0 0 10",
        "abc 2026-11-23 13:01 2026-11-23 13:30 30",
        "aduana audit verify ledger.sqlite3 --timezone Europe/Madrid --label sensitive --tag patient --public-key",
        "What this does not prove",
        "requests that went around the gateway",
    ):
        assert sentence in said, sentence
    assert not re.search(r"(src|href)=|url\(|@import", markup)


async def test_the_page_in_spanish_tells_a_changed_ledger(tmp_path: Path) -> None:
    """The verdict is the first thing on the page, and no sentence of it is left in English."""
    office = await recorded(tmp_path)
    tamper(office.database, "UPDATE receipts SET key = '<b>x</b>', policy_digest = '<script>' WHERE seq = 7")
    code, markup = page(office, lang="es")
    assert code == 1
    assert "<script>" not in markup
    said = text_of(markup)
    assert said.index("Queda refutado") < said.index("El recibo r7, de 2026-11-23 13:07, fue modificado")
    assert not re.findall(r"\b(the|requests|nothing|proved|link)\b", said)
