"""Inspection, masking and the memory of sensitive conversations. Pure: no I/O, no log, clock and chance passed in.

Owns what is looked for, where and how. Finds, and replaces what it is told to; must not judge: which finding makes a
request sensitive, and which one may be masked, is the policy's to say.
"""

from typing import TYPE_CHECKING, Any

from gateway.privacy.categories import CATEGORIES
from gateway.privacy.settings import InspectionSettings, WordList

if TYPE_CHECKING:
    from gateway.privacy.inspection.inspector import Inspector

__all__ = ["CATEGORIES", "InspectionSettings", "Inspector", "WordList"]


def __getattr__(name: str) -> Any:
    """Load the inspector where somebody asks for it.

    Its detectors take a second and 13 MB, and the processes that ask clouds and prove policies need only the names of
    categories.

    Raises:
        AttributeError: There is no such name here.
    """
    if name != "Inspector":
        raise AttributeError(name)
    from gateway.privacy.inspection.inspector import Inspector

    return Inspector
