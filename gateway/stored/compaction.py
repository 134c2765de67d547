"""Summaries of conversations that their client keeps, sealed: nothing of them is stored here.

INVARIANT: a summary is sealed together with what its continuation inherits, for the key that asked for it.
"""

import base64
import binascii

import msgspec

from gateway.core.errors import AduanaError, BadRequest
from gateway.core.request import Inherited
from gateway.stored.sealing import Sealing

PREFIX = "aduana1."
"""What the `encrypted_content` of this gateway's own summaries begins with."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What was said in a conversation, and what continues it inherits."""

    text: str
    inherited: Inherited


class SealedSummaries:
    """Seal of summaries. What was sealed for one key opens for no other."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def seal(self, owner: str, summary: Summary) -> str:
        """Return the summary as text that only this gateway can read."""
        sealed = self._sealing.seal(msgspec.msgpack.encode(summary), owner.encode())
        return PREFIX + base64.urlsafe_b64encode(sealed).decode()

    def open(self, owner: str, content: str) -> Summary:
        """Return the summary that was sealed for this owner.

        Raises:
            BadRequest: It was changed, is another key's, or was sealed under another state directory's secret.
        """
        try:
            sealed = base64.b64decode(content.removeprefix(PREFIX), altchars=b"-_", validate=True)
            return msgspec.msgpack.decode(self._sealing.open(sealed, owner.encode()), type=Summary)
        except (AduanaError, ValueError, binascii.Error) as error:
            raise BadRequest(
                "A 'compaction' item can't be opened: it was changed, or another key or gateway made it. Send the "
                "conversation that it stands for.",
                param="input",
                code="compaction_not_readable",
            ) from error
