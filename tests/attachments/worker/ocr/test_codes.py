"""Codes: what a QR code says is read, and a picture with one is never whole."""

import numpy as np
import pytest
from PIL import Image

from gateway.attachments.worker import ocr
from gateway.attachments.worker.parts import Limits
from tests.attachments.drawn import ID, encoded, written
from tests.attachments.read import read

cv2 = pytest.importorskip("cv2", reason="the extra 'documents' is not installed")
pytestmark = pytest.mark.skipif(not ocr.installed(), reason="the extra 'documents' is not installed")


def test_a_qr_code_is_read() -> None:
    """Its text is found beside the text around it."""
    code = Image.fromarray(np.pad(cv2.QRCodeEncoder.create().encode(f"DNI {ID}"), 3, constant_values=255))
    image = Image.new("L", (700, 420), 255)
    image.paste(written(["Cita médica"]), (0, 0))
    image.paste(code.resize((250, 250), Image.Resampling.NEAREST), (60, 130))
    said = read(encoded(image), limits=Limits(seconds=600))
    assert said.texts["code"] == f"DNI {ID}"
    assert "code" in said.reasons
    assert "Cita médica" in said.texts[""]
