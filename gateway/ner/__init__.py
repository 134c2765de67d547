"""Names and addresses, found by a small model in worker processes (the extra `ner`).

Owns the processes and what they have found. Knows texts; must not know requests or policies, or decide what counts.
"""

from gateway.ner.recognition import Recognition, RecognitionSettings, installed

__all__ = ["Recognition", "RecognitionSettings", "installed"]
