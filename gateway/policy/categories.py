"""The category names that a policy may use: what inspection can find. A name that nothing can have is a typing error,
and would be a rule that never protects.
"""

from gateway.privacy import CATEGORIES

# Roots with names of the users' own (words and patterns), or that optional detectors fill.
OPEN = ("custom", "person", "network")
ROOTS = ("secret", "id", "financial", "contact", "health", "legal", *OPEN)
KNOWN = frozenset((*ROOTS, *CATEGORIES))


def exists(category: str) -> bool:
    """Whether inspection can find something of this category, or below it."""
    root, _, rest = category.partition(".")
    if root in OPEN or not rest:
        return root in ROOTS
    return ".".join((root, rest.split(".")[0])) in KNOWN
