"""What a decision rests on, as one frozen value. Whoever holds it and a policy can make the decision again."""

import msgspec

from gateway.core.finding import Inspection
from gateway.core.request import Inbound
from gateway.core.snapshot import Snapshot


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A request, what inspection saw in it, and the world at that moment.

    No field has a default: a request that was not inspected must not pass for one in which nothing was found.
    """

    inbound: Inbound
    inspection: Inspection
    snapshot: Snapshot
