"""The first straight line: load -> chunk -> embed -> store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from index.chunk import CHUNKER, chunk_text
from index.embed import Embedder
from index.errors import CollectionMissing, DocumentConflict, LoadError
from index.load import SUPPORTED, find_files, load_file
from index.store import ChunkedDocument, Index
from index.types import Document, DocumentSummary, StoredDocument, content_hash

EMBED_BATCH = 64
"""Chunks embedded between two commits of their vectors: what an interruption can lose at most."""

Progress = Callable[[str, int, int], None]
"""Called as (step, done, total); the steps are `load` (files), `embed` (chunks) and `store` (documents)."""


@dataclass(slots=True)
class IngestReport:
    """What an ingest did. `failed` holds the sources that could not be loaded; what was stored of them stays."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[LoadError | DocumentConflict] = field(default_factory=list)
    embedded: int = 0
    generation: int = 0


def ingest(
    index: Index,
    embedder: Embedder,
    paths: Sequence[Path],
    *,
    prune: bool = False,
    max_bytes: int = 20_000_000,
    on_progress: Progress = lambda step, done, total: None,
    on_wait: Callable[[], None] | None = None,
) -> IngestReport:
    """Bring a collection up to date with files and folders; only what changed is chunked and embedded again.

    With `prune`, documents that came from under `paths` and are no longer there are removed. A file that cannot be
    loaded is reported and leaves the others alone. Nothing is visible to readers before everything is.

    Raises `LoadError` when a path does not exist, `EmbedderMismatch`, `IngestBusy` or `StorageFull`.
    """
    files = [pair for path in paths for pair in find_files(path)]
    if not files and not prune:
        raise LoadError(
            f"no documents under {', '.join(map(str, paths))}",
            help=f"Files ending in {', '.join(sorted(SUPPORTED))} are read.",
        )
    report = IngestReport()
    with index.lock(on_wait):
        known, rechunk = _known(index, embedder)
        uri_of = {document.source: document.uri for document in known.values()}
        changed: dict[str, Document] = {}
        seen: set[str] = set()
        for done, (path, uri) in enumerate(files):
            on_progress("load", done, len(files))
            source = str(path.resolve())
            seen.add(source)
            try:
                document = load_file(path, uri=uri_of.get(source, uri), max_bytes=max_bytes)
                _refuse_conflict(document, [known.get(document.id), changed.get(document.id)])
            except (LoadError, DocumentConflict) as error:
                report.failed.append(error)
                continue
            if _is_changed(known.get(document.id), document, rechunk, report):
                changed[document.id] = document
        on_progress("load", len(files), len(files))
        gone = _gone(known, paths, seen) if prune else []
        report.removed = [document.uri for document in gone]
        _store(index, embedder, list(changed.values()), [d.id for d in gone], report, on_progress)
    return report


def add(
    index: Index,
    embedder: Embedder,
    documents: Sequence[Document],
    *,
    on_progress: Progress = lambda step, done, total: None,
    on_wait: Callable[[], None] | None = None,
) -> IngestReport:
    """Bring documents that come from elsewhere than files into a collection, as `ingest` does. None is removed."""
    report = IngestReport()
    with index.lock(on_wait):
        known, rechunk = _known(index, embedder)
        changed = {
            document.id: document
            for document in documents
            if _is_changed(known.get(document.id), document, rechunk, report)
        }
        _store(index, embedder, list(changed.values()), [], report, on_progress)
    return report


def rebuild(
    index: Index,
    embedder: Embedder,
    *,
    on_progress: Progress = lambda step, done, total: None,
    on_wait: Callable[[], None] | None = None,
) -> IngestReport:
    """Chunk and embed every stored document again, with this embedder. The old index serves until the new is whole."""
    with index.snapshot():
        pass  # a collection that is not there is an error, and no folder is made for it
    report = IngestReport()
    with index.lock(on_wait):
        with index.snapshot() as snapshot:
            documents = [_unstored(stored) for stored in snapshot.current_documents()]
        report.updated = sorted(document.uri for document in documents)
        _store(index, embedder, documents, [], report, on_progress)
    return report


def remove(index: Index, document_ids: Sequence[str], *, on_wait: Callable[[], None] | None = None) -> IngestReport:
    """Delete documents, all their versions and what was derived from them. Raises `DocumentMissing` for any other."""
    with index.snapshot():
        pass
    with index.lock(on_wait):
        with index.snapshot() as snapshot:
            stats = snapshot.stats()
            report = IngestReport(removed=[snapshot.document(document_id).uri for document_id in document_ids])
        report.generation = index.commit(
            [], document_ids, embedder=stats.embedder, dim=stats.dim, chunker=stats.chunker
        )
    return report


def _known(index: Index, embedder: Embedder) -> tuple[dict[str, DocumentSummary], bool]:
    """The documents that are there, by id, and whether an earlier chunker cut them."""
    if not index.exists():
        return {}, False
    try:
        with index.snapshot(embedder.name) as snapshot:
            known = {document.id: document for document in snapshot.documents()}
            return known, snapshot.stats().chunker != CHUNKER
    except CollectionMissing:  # an interrupted first ingest has left vectors, and no generation
        return {}, False


def _is_changed(before: DocumentSummary | None, document: Document, rechunk: bool, report: IngestReport) -> bool:
    """Whether a document has to be stored, which the report is told."""
    if before and not rechunk and _same(before, document):
        report.unchanged.append(document.uri)
        return False
    (report.updated if before else report.added).append(document.uri)
    return True


def _same(before: DocumentSummary, document: Document) -> bool:
    return (before.version, before.title, before.source, before.source_url) == (
        document.version,
        document.title,
        document.source,
        document.source_url,
    )


def _refuse_conflict(document: Document, others: Sequence[DocumentSummary | Document | None]) -> None:
    for other in others:
        if other and other.source != document.source and Path(other.source).exists():
            raise DocumentConflict(
                f"{document.source} and {other.source} would both be {document.uri} in this collection",
                help="Ingest the folder above both, or put one of them into another collection.",
            )


def _gone(known: dict[str, DocumentSummary], paths: Sequence[Path], seen: set[str]) -> list[DocumentSummary]:
    roots = [path.resolve() for path in paths]
    return [
        document
        for document in known.values()
        if document.source not in seen and any(Path(document.source).is_relative_to(root) for root in roots)
    ]


def _unstored(stored: StoredDocument) -> Document:
    return Document(stored.uri, stored.title, stored.text, stored.source, stored.source_url)


def _store(
    index: Index,
    embedder: Embedder,
    documents: Sequence[Document],
    gone: Sequence[str],
    report: IngestReport,
    on_progress: Progress,
) -> None:
    """Chunk and embed what changed, keeping vectors as they come, then commit one generation."""
    if not documents and not gone:
        if index.exists():
            index.repair()
            with suppress(CollectionMissing), index.snapshot() as snapshot:
                report.generation = snapshot.stats().generation
        return
    chunked = [
        ChunkedDocument(document, tuple(chunk_text(document.text, embedder.count_tokens))) for document in documents
    ]
    texts = {
        content_hash(text): text
        for item in chunked
        for text in (item.document.text[chunk.start : chunk.end] for chunk in item.chunks)
    }
    absent = index.missing_vectors(embedder.name, texts)
    missing = [key for key in texts if key in absent]
    for done, batch in _batches(missing):
        on_progress("embed", done, len(missing))
        vectors = embedder.embed_documents([texts[key] for key in batch])
        index.save_vectors(embedder.name, dict(zip(batch, vectors, strict=True)))
    on_progress("embed", len(missing), len(missing))
    report.embedded = len(missing)
    on_progress("store", 0, len(documents))
    report.generation = index.commit(chunked, gone, embedder=embedder.name, dim=embedder.dim, chunker=CHUNKER)
    on_progress("store", len(documents), len(documents))


def _batches(keys: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    for start in range(0, len(keys), EMBED_BATCH):
        yield start, keys[start : start + EMBED_BATCH]
