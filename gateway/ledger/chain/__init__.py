"""The chain: each receipt and each settlement is committed to by a link, and checkpoints of the links are signed.

So whoever has an old checkpoint finds out whether anything that it covers was changed or removed since. Owns the tables
`chain_head`, `chain_links`, `chain_salts` and `checkpoints`. Must not hold back a request: what can fail here is the
database itself.
"""

from gateway.ledger.chain.checkpoints import SigningKey, add_checkpoint, lines_behind
from gateway.ledger.chain.findings import Examined, Standing
from gateway.ledger.chain.links import LinkKind
from gateway.ledger.chain.verify import Subjects, verify
from gateway.ledger.chain.writing import Tail, add_settlements, begin, forget, keep_salts, salt_of, zone_letter

ERASED, AGED = LinkKind.ERASED, LinkKind.AGED
"""Why receipts were removed: somebody asked for it, or they were old."""

__all__ = [
    "AGED", "ERASED", "Examined", "LinkKind", "SigningKey", "Standing", "Subjects", "Tail", "add_checkpoint",
    "add_settlements", "begin", "forget", "keep_salts", "lines_behind", "salt_of", "verify", "zone_letter",
]  # fmt: skip
