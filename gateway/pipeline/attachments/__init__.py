"""Attachments in the life of a request: found, read by another process, inspected, joined to what else is known.

Owns where they stand in a document and what a reading of them means for a decision. Must not open a file itself, and
must not lower a label: the one exception is a setting of the owner's for what was read whole and is clean.
"""

from gateway.pipeline.attachments.attached import Attached, AttachedItem, AttachmentSettings
from gateway.pipeline.attachments.found import Found, found
from gateway.pipeline.attachments.reading import AttachmentReader, Attachments

__all__ = ["Attached", "AttachedItem", "AttachmentReader", "AttachmentSettings", "Attachments", "Found", "found"]
