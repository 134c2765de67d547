"""Files that clients upload, and batches: requests that are answered in the background, one after the other.

Owns the queue of batches and what is kept of them, sealed. Every line goes through the same pipeline as a live request.
Must not decide where a request goes, or hand a line to anything but the pipeline.
"""

from gateway.batches.batch import Batch, Status
from gateway.batches.files import FileStore, StoredFile
from gateway.batches.lines import LineAnswers
from gateway.batches.queue import BatchQueue

__all__ = ["Batch", "BatchQueue", "FileStore", "LineAnswers", "Status", "StoredFile"]
