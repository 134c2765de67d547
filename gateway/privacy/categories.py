"""The tree of categories: what belongs to which, and what may be masked. Pure."""

from collections.abc import Iterable

from gateway.core.labels import Label

CATEGORIES = (
    "contact.address", "contact.email", "contact.phone",
    "financial.account", "financial.card", "financial.crypto", "financial.iban", "financial.personal",
    "health.personal", "health.record",
    "id.device", "id.health", "id.licence", "id.national", "id.passport", "id.plate", "id.property", "id.tax",
    "legal.case", "legal.confidential", "legal.employment",
    "network.address", "network.host", "network.mac",
    "person.birth_date", "person.name", "person.record",
    "secret.api_key", "secret.connection_string", "secret.password", "secret.private_key", "secret.shaped",
    "secret.token",
    "topic.access", "topic.business", "topic.contact", "topic.family", "topic.health", "topic.intimate",
    "topic.law", "topic.location", "topic.minors", "topic.money", "topic.privileged", "topic.work",
    "unsure",
)  # fmt: skip
"""What detectors and the judge can find, sorted. Policies are read with this list alone, without any detector."""
TOPIC = "topic"
DEFAULT_LABELS = {"unsure": Label.INTERNAL}
"""Labels of categories where a policy names none: a text that the judge can't read is no finding of anything yet."""
_NEVER_MASKED = ("secret", "topic.access")


def listed(category: str, categories: Iterable[str]) -> bool:
    """Tell whether a category, or one above it, is among these. Secrets never are."""
    return maskable(category) and any(category == name or category.startswith(f"{name}.") for name in categories)


def covered(category: str, categories: Iterable[str]) -> bool:
    """Tell whether masking these categories takes a finding along.

    A topic is nothing that could be replaced: it goes along with any masking, because the masked text is judged afresh.
    """
    if is_topic(category):
        return any(True for _ in categories)
    return listed(category, categories)


def is_topic(category: str) -> bool:
    """Tell whether a category says what a text is about, and not what stands in it."""
    return category.partition(".")[0] == TOPIC


def maskable(category: str) -> bool:
    """Tell whether a policy may mask the category. Never a secret: a key that leaves under a name is no use."""
    return not any(category == name or category.startswith(f"{name}.") for name in _NEVER_MASKED)
