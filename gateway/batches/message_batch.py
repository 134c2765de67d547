"""How a batch of Anthropic's messages is shown: the same batch in another dialect's words. Pure."""

from datetime import UTC, datetime

from gateway.batches.batch import ENDED, Batch, Status
from gateway.wire.anthropic.batches import ENDPOINT

_PREFIX, _OURS = "msgbatch_", "batch_"


def is_message_batch(batch: Batch) -> bool:
    """Say whether a batch was made in Anthropic's dialect."""
    return batch.endpoint == ENDPOINT


def message_batch_id(batch: Batch) -> str:
    """Return the id under which Anthropic's clients know a batch."""
    return _PREFIX + batch.id.removeprefix(_OURS)


def batch_id(name: str) -> str:
    """Return the id of the batch that Anthropic's clients know under a name; empty: there can be none."""
    return _OURS + name.removeprefix(_PREFIX) if name.startswith(_PREFIX) else ""


def shown(batch: Batch) -> dict[str, object]:
    """Return a batch as Anthropic's object. Where its results are is told relative to the gateway's own address."""
    name = message_batch_id(batch)
    status = "canceling" if batch.status is Status.CANCELLING else "ended" if batch.ended else "in_progress"
    ended = next((batch.times[status] for status in ENDED if status in batch.times), None)
    return {
        "id": name,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": _counts(batch),
        "created_at": _time(batch.created),
        "expires_at": _time(batch.expires),
        "cancel_initiated_at": _time(batch.times.get(Status.CANCELLING)),
        "ended_at": _time(ended),
        "archived_at": None,
        "results_url": f"/v1/messages/batches/{name}/results" if batch.ended else None,
    }


def _counts(batch: Batch) -> dict[str, int]:
    """Return the counts, which stay at `processing` until the batch has ended."""
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    if not batch.ended:
        return counts | {"processing": batch.total}
    rest = batch.total - batch.completed - batch.failed
    counts |= {"succeeded": batch.completed, "errored": batch.failed}
    match batch.status:
        case Status.CANCELLED:
            counts["canceled"] = rest
        case Status.EXPIRED:
            counts["expired"] = rest
        case _:
            counts["errored"] += rest
    return counts


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
