"""The values that flow through the index. Offsets are Unicode code points, 0-based, end exclusive."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points in the text of one document version."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The text that this span covers in `text`."""
        return text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        """Whether the two spans share at least one code point."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Document:
    """One source text, exactly as it is indexed, shown and cited.

    `uri` is the document's name inside its collection (a relative path with `/`), `source` the file or URL it was
    loaded from, `source_url` an address a reader can open, if there is one.
    """

    uri: str
    title: str
    text: str
    source: str
    source_url: str | None = None

    @property
    def id(self) -> str:
        """`doc_` and 16 hexadecimal digits: a hash of the collection-relative URI."""
        return document_id(self.uri)

    @property
    def version(self) -> str:
        """32 hexadecimal digits: a hash of the text."""
        return content_hash(self.text)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences of one document; `sentences` are spans of the document, not of the chunk."""

    start: int
    end: int
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stored chunk with what is needed to read and cite it."""

    id: int
    document_id: str
    document_version: str
    document_title: str
    source_url: str | None
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]

    def slice(self, span: Span) -> str:
        """The text of a document span that lies inside this passage."""
        return self.text[span.start - self.start : span.end - self.start]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document version as the index holds it. `current` is false once a newer version has replaced it."""

    id: str
    uri: str
    title: str
    version: str
    text: str
    source: str
    source_url: str | None
    current: bool
    generation: int


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A row of the list of documents: no text."""

    id: str
    uri: str
    title: str
    version: str
    source: str
    source_url: str | None
    characters: int
    chunks: int


def document_id(uri: str) -> str:
    """The id of the document with this collection-relative URI."""
    return "doc_" + hashlib.sha256(uri.encode("utf-8")).hexdigest()[:16]


def content_hash(text: str) -> str:
    """32 hexadecimal digits (128 bits) of the SHA-256 of `text`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
