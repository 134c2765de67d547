"""The inspector as the configuration describes it, for commands that look at single requests."""

import asyncio
from typing import TYPE_CHECKING

from gateway.core.document import thaw
from gateway.core.finding import Inspection
from gateway.core.labels import Zone
from gateway.core.outbound import outbound_document
from gateway.core.request import Inbound
from gateway.core.snapshot import Snapshot
from gateway.policy import Policy, decide, overridden
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.privacy import Inspector


def inspector_of(settings: Settings) -> "Inspector":
    """An inspector with the users' own words and patterns, as the gateway itself makes it."""
    from gateway.app.rooms import inspection_settings
    from gateway.privacy import Inspector

    return Inspector(inspection_settings(settings), cache_dir=settings.state_dir)


def masked_document(
    settings: Settings, inbound: Inbound, inspection: Inspection, snapshot: Snapshot, policy: Policy
) -> object | None:
    """What the first cloud target would get of a request that goes out masked; None: it does not.

    For the eyes of whoever owns the request. Nothing is kept: another time the pseudonyms are others.
    """
    from gateway.pipeline.examining import Examining
    from gateway.pipeline.masker import Masker

    masker = Masker(examine=Examining(inspector_of(settings)).examine)
    first = decide(inbound, inspection, snapshot, policy)
    outgoing = asyncio.run(masker.attempt(first, inbound, inspection, snapshot, policy, keep=False))
    if outgoing is None:
        return None
    target = next(candidate.target for candidate in outgoing.decision.candidates if candidate.zone is Zone.CLOUD)
    request = overridden(outgoing.request, outgoing.decision.overrides)
    return thaw(outbound_document(request, policy.catalog.targets[target].model))
