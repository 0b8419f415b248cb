"""Everything the index can refuse to do. Each error says what to do next in `help`.

IndexingError
├── LoadError                 a file or folder that cannot be turned into text
│   ├── UnsupportedFormat
│   ├── NotText               binary, or in no encoding that can be told
│   ├── EmptyDocument
│   └── DocumentTooLarge
├── CollectionMissing         nothing was ingested under that name
├── CollectionName            not a name a collection can have
├── DocumentMissing           no such document, or no such version of it
├── DocumentGone              it was deleted
├── DocumentConflict          two files claim the same place in a collection
├── EmbedderMismatch          the index was made by another embedder
├── CatalogUnreadable         the catalogue is damaged or from a newer release
├── IngestBusy                another ingest holds the collection
└── StorageFull               the disk is full or not writable; nothing was changed
"""

from __future__ import annotations


class IndexingError(Exception):
    """Base of all errors of this package."""

    def __init__(self, message: str, *, help: str) -> None:
        super().__init__(message)
        self.help = help


class LoadError(IndexingError):
    """A source that cannot be turned into a document."""


class UnsupportedFormat(LoadError):
    """No loader for this kind of file."""


class NotText(LoadError):
    """Bytes that are no text in any encoding that can be told."""


class EmptyDocument(LoadError):
    """No text in it."""


class DocumentTooLarge(LoadError):
    """Larger than the limit."""


class CollectionMissing(IndexingError):
    """Nothing was ingested under this name."""


class CollectionName(IndexingError):
    """Not a name that a collection can have."""


class DocumentMissing(IndexingError):
    """No such document or version."""


class DocumentGone(IndexingError):
    """The document was deleted, and its text with it."""


class DocumentConflict(IndexingError):
    """Two sources claim one URI."""


class EmbedderMismatch(IndexingError):
    """The vectors in the index come from another embedder."""


class CatalogUnreadable(IndexingError):
    """The catalogue cannot be read by this release."""


class IngestBusy(IndexingError):
    """Another process is writing to the collection."""


class StorageFull(IndexingError):
    """The disk is full or read-only."""
