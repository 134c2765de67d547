"""What the judge tells apart: kinds of confidences, each with its category, and kinds of what is nobody's affair."""

from collections.abc import Mapping
from types import MappingProxyType

SENSITIVE: Mapping[str, str] = MappingProxyType(
    {
        "health": "topic.health",
        "money": "topic.money",
        "work": "topic.work",
        "family": "topic.family",
        "intimate": "topic.intimate",
        "law": "topic.law",
        "contact": "topic.contact",
        "location": "topic.location",
        "minors": "topic.minors",
        "plans": "topic.business",
        "deal": "topic.business",
        "incident": "topic.business",
        "client": "topic.business",
        "privileged": "topic.privileged",
        "books": "topic.business",
        "access": "topic.access",
    }
)
"""Kind → category: an identifiable person's affairs, an organisation's confidences, and access."""

CLEAN = (
    "textbook", "fiction", "public", "question", "code", "docs", "price", "homework", "sample", "office", "home",
    "news", "science", "chat",
)  # fmt: skip

UNSURE = "unsure"
CATEGORIES = frozenset((*SENSITIVE.values(), UNSURE))
