"""Signature of a clearance: made of a genuine one alone, good for one body and one target, once and soon."""

import hashlib
import hmac
import secrets
import time

from gateway.core.secret import Credential
from gateway.egress.messages import Ask, Claims, ClientKey, pack
from gateway.policy import Clearance
from gateway.upstream.media.requests import SentBody

GOOD_SECONDS = 30.0  # between signing and sending: both happen at once


class Signer:
    """Signer of clearances, in the gateway."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(
        self,
        clearance: Clearance,
        sent: SentBody,
        *,
        life: bytes,
        most_bytes: int,
        credential: Credential | None,
        ahead: float = 0.0,
    ) -> Ask:
        """Return the request to send what a clearance clears.

        `ahead`: seconds by which the clock of the process that checks it is ahead of ours.

        Raises:
            TypeError: Nobody minted that clearance.
        """
        cleared = clearance.opened()
        claims = pack(
            Claims(
                life=life,
                nonce=secrets.token_bytes(16),
                expires=time.monotonic() + ahead + GOOD_SECONDS,
                request_id=cleared.request_id,
                target=cleared.target,
                label=cleared.label,
                endpoint=cleared.endpoint,
                policy=cleared.policy_digest,
                known=tuple(sorted(cleared.known)),
                prefix=cleared.prefix,
                path=sent.path,
                content_type=sent.content_type,
                size=len(sent.content),
                digest=hashlib.sha256(sent.content).digest(),
                most_bytes=most_bytes,
                client=None
                if credential is None
                else ClientKey(form=credential.form, secret=credential.secret.reveal()),
            )
        )
        return Ask(claims=claims, mac=hmac.digest(self._key, claims, "sha256"))
