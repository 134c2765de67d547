"""What a gateway that died left open is settled once, at the next start."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

from gateway.ledger import Ledger, LedgerSettings

ROOT = Path(__file__).resolve().parents[2]


def test_kill_9_between_receipt_and_settlement(tmp_path: Path) -> None:
    """Receipts that were acknowledged survive SIGKILL; the next start settles each of them once as `unknown`."""
    script = """
        import asyncio, sys
        from pathlib import Path
        from gateway.ledger import Ledger, LedgerSettings
        from tests.ledger.conftest import CLOUD, make_receipt

        async def main():
            ledger = Ledger(LedgerSettings(directory=Path(sys.argv[1])))
            await ledger.open()
            number = 0
            while True:
                await asyncio.gather(*(ledger.receive(make_receipt(f"r{number + i}"), CLOUD) for i in range(10)))
                number += 10
                print(number, flush=True)

        asyncio.run(main())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 100:
            break
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.stdout.close()
    process.wait()
    acknowledged = int(rest[-1]) if rest else 100

    async def start() -> tuple[int, list[tuple[object, ...]]]:
        ledger = Ledger(LedgerSettings(directory=tmp_path))
        await ledger.open()
        await ledger.close()
        connection = sqlite3.connect(ledger.file)
        found = connection.execute(
            "SELECT outcome, count(*), sum(cost_micros) FROM receipts LEFT JOIN settlements USING (seq) GROUP BY 1"
        ).fetchall()
        connection.close()
        return ledger.orphans, found

    orphans, found = asyncio.run(start())
    assert orphans >= acknowledged
    assert found == [("unknown", orphans, orphans * 500)]
    assert asyncio.run(start()) == (0, found)
