"""The audit's tests use the inspector of `privacy`'s."""

from tests.privacy.conftest import inspector

__all__ = ["inspector"]
