"""The doctor says where checkpoints go, and that a file that has fallen behind does."""

from pathlib import Path

from gateway.cli.doctor.finding import Patient
from gateway.cli.doctor.proofs import checkpoints
from gateway.settings import load_settings
from tests.ledger.chain.house import recorded


async def test_where_checkpoints_go_is_told(tmp_path: Path) -> None:
    """Up to date, behind, on the same disk, and nowhere else at all."""
    office = await recorded(tmp_path, 6, every=3)
    config = tmp_path / "aduana.yaml"

    def told(extra: str) -> list[tuple[str, str]]:
        config.write_text(f"state_dir: {office.state}\n{extra}")
        patient = Patient(settings=load_settings(config), config=config)
        return [(finding.level.value, finding.text) for finding in checkpoints(patient)]

    file = "ledger: {checkpoints_to: elsewhere/aduana.checkpoints}"
    (_, same_disk), (level, text) = told(file)
    assert "same disk" in same_disk
    assert (level, "the last checkpoint, of 2026-11-23" in text) == ("ok", True)
    office.file.write_text(office.file.read_text().splitlines(keepends=True)[0])
    assert told(file)[-1] == ("problem", f"{office.file} lacks checkpoints that the ledger has (1).")
    ((level, text),) = told("")
    assert (level, "ledger.checkpoints_to" in text) == ("ok", True)
