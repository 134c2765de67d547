"""All numbers of all countries, and their detectors."""

from gateway.privacy.detectors.countries import americas, documents, elsewhere, europe
from gateway.privacy.detectors.countries.number import Number, detector
from gateway.privacy.detectors.detector import Detector

NUMBERS: tuple[Number, ...] = (*americas.NUMBERS, *europe.NUMBERS, *elsewhere.NUMBERS, *documents.NUMBERS)
DETECTORS: tuple[Detector, ...] = tuple(map(detector, NUMBERS))
