"""The tree of categories: what belongs to which, and what may be masked. Pure."""

from collections.abc import Iterable


def covered(category: str, categories: Iterable[str]) -> bool:
    """Tell whether a category, or one above it, is among these. Secrets never are."""
    return maskable(category) and any(category == name or category.startswith(f"{name}.") for name in categories)


def maskable(category: str) -> bool:
    """Tell whether a policy may mask the category. Never a secret: a key that leaves under a name is no use."""
    return category.partition(".")[0] != "secret"
