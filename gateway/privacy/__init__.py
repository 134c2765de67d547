"""Inspection and the memory of sensitive conversations. Pure: no I/O, no clock but the one it is given, no log.

Finds; does not judge. Which finding makes a request sensitive is the policy's to say.
"""

from gateway.privacy.detectors import CATEGORIES
from gateway.privacy.inspector import Inspector
from gateway.privacy.settings import InspectionSettings

__all__ = ["CATEGORIES", "InspectionSettings", "Inspector"]
