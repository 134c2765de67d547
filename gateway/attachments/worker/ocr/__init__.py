"""Letters in pixels: where lines stand, what they say, and whether they explain all that is drawn.

The weights are those in rapidocr's wheel (PP-OCRv6); nothing is fetched. Of rapidocr's code nothing is imported: it
loads what downloads and draws, and hides how sure each letter is. Owns the models and one picture at a time, as
`(height, width, 3)` uint8 RGB. Must not know file formats.
"""

import importlib.util


def installed() -> bool:
    """Say whether the extra `documents` is there, which has what reads pictures."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "cv2", "onnxruntime"))
