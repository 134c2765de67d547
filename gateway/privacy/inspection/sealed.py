"""Pieces that providers sealed or signed for their own eyes: where they stand, and which of them came from a cloud.

Such a piece is random letters, so that now and then a part of it looks like a key. What a cloud sent itself is no
secret from clouds: when a client brings it back, it counts as no key. Remembered are keyed hashes, in this process.
"""

import threading
from collections import OrderedDict

from gateway.core.document import JsonObject, strings
from gateway.privacy.patterns import late
from gateway.privacy.text_keys import TextKeys

OPAQUE = late(
    r"\.(?:encrypted_(?:content|index|stdout)|signature|thought_signature|thoughtSignature|tool_call_id|call_id)\Z"
    r"|\.tool_calls\[\d+\]\.id\Z|\.anthropic_native\.block\.(?:id|tool_use_id)\Z|\.reasoning_details\[\d+\]\.data\Z|\.redacted_thinking\b.*\.data\Z"
)
"""Where providers put what they alone can read, and ids: such a piece is no doubt there. What can be read counts."""
_MOST = 65_536  # pieces; the oldest are forgotten, and looked at like any text again
_FORGIVEN = "secret"  # what letters without a meaning are taken for


class SealedPieces:
    """Memory of the sealed pieces in answers of cloud targets. Thread-safe."""

    def __init__(self) -> None:
        self._text_keys = TextKeys()
        self._known: OrderedDict[int, None] = OrderedDict()
        self._lock = threading.Lock()

    def received(self, fields: JsonObject) -> None:
        """Remember the sealed pieces among an answer's fields."""
        for path, text in strings(fields):
            if OPAQUE.search(path):
                with self._lock:
                    self._known[self._text_keys.of(text)] = None
                    if len(self._known) > _MOST:
                        self._known.popitem(last=False)

    def forgives(self, text: str, path: str, category: str) -> bool:
        """Say whether a finding is only what a cloud's own sealed piece looks like, back in its place."""
        if category.partition(".")[0] != _FORGIVEN or not OPAQUE.search(path):
            return False
        with self._lock:
            return self._text_keys.of(text) in self._known
