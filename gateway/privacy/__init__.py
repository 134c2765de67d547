"""Inspection, masking and the memory of sensitive conversations. Pure: no I/O, no log, clock and chance passed in.

Owns what is looked for, where and how. Finds, and replaces what it is told to; must not judge: which finding makes a
request sensitive, and which one may be masked, is the policy's to say.
"""

from gateway.privacy.detectors.registry import CATEGORIES
from gateway.privacy.inspection.inspector import Inspector
from gateway.privacy.settings import InspectionSettings, WordList

__all__ = ["CATEGORIES", "InspectionSettings", "Inspector", "WordList"]
