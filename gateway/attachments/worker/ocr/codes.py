"""Codes for machines: what QR codes and bar codes of shops say."""

from collections.abc import Iterator
from typing import Any

import cv2

from gateway.attachments.worker.ocr.models import Pixels


def codes_in(picture: Pixels) -> list[str]:
    """Return what the codes in a picture say; an empty text for one that is seen and can't be read."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return [
        text for detector in (cv2.QRCodeDetector(), cv2.barcode.BarcodeDetector()) for text in _said(detector, grey)
    ]


def _said(detector: Any, grey: Any) -> Iterator[str]:
    try:
        found, texts, _, _ = detector.detectAndDecodeMulti(grey)
    except (cv2.error, UnicodeDecodeError):
        yield ""
        return
    if found:
        yield from texts
