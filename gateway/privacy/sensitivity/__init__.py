"""The judge of sensitivity: what a text is about, seen by a small encoder on this machine.

Owns the encoder and what was judged. Knows texts; must not know requests or policies, or decide what counts.
"""

from gateway.privacy.sensitivity.judge import Judge, Judged, Late, Mode
from gateway.privacy.sensitivity.units import Unit, units

__all__ = ["Judge", "Judged", "Late", "Mode", "Unit", "units"]
