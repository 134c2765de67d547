"""Named entities by a small model in worker processes (the extra `ner`). Knows texts; not requests, not policies."""

from gateway.ner.recognition import Recognition, RecognitionSettings, installed

__all__ = ["Recognition", "RecognitionSettings", "installed"]
