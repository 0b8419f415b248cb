"""The first straight line: load -> chunk -> embed -> store."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from index.chunk import CHUNKER, chunk_text
from index.embed import Embedder
from index.errors import CollectionMissing, DocumentConflict, LoadError
from index.load import SUPPORTED, find_files, load_file, source_of
from index.store import ChunkedDocument, Index
from index.types import Document, DocumentSummary, StoredDocument, content_hash

EMBED_BATCH = 64
"""Chunks embedded between two commits of their vectors: what an interruption can lose at most."""

Progress = Callable[[str, int, int], None]
"""Called as (step, done, total); the steps are `load` (files), `embed` (chunks) and `store` (documents)."""


@dataclass(slots=True)
class IngestReport:
    """What an ingest did. `failed` holds what could not be loaded or read; what was stored of it stays."""

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

    With `prune`, documents that came from under `paths` and are no longer there are removed. A file or subfolder that
    cannot be read is reported and leaves the others alone. A file that is reached by several names is one document, by
    the name that it has already, or else the first. Nothing is visible to readers before everything is.

    Raises `LoadError` when a path does not exist or cannot be read, `EmbedderMismatch`, `IngestBusy` or `StorageFull`.
    """
    unreadable: dict[Path, LoadError] = {}
    files: dict[str, tuple[Path, str]] = {}
    for given in paths:
        for path, uri in find_files(given, unreadable):
            files.setdefault(source_of(path), (path, uri))
    if not files and not unreadable and not prune:
        raise LoadError(
            f"no documents under {', '.join(map(str, paths))}",
            help=f"Files ending in {', '.join(sorted(SUPPORTED))} are read.",
        )
    report = IngestReport(failed=[*unreadable.values()])
    with index.lock(on_wait):
        known, rechunk = _known(index, embedder)
        uris = {source: uri for source, (_, uri) in files.items()}
        kept = _kept(known, uris)
        twins = {id: d for id, d in known.items() if kept.get(d.source, d.uri) != d.uri}
        others: dict[str, DocumentSummary | Document] = {id: d for id, d in known.items() if id not in twins}
        changed: dict[str, Document] = {}
        for done, (source, (path, uri)) in enumerate(files.items()):
            on_progress("load", done, len(files))
            try:
                document = load_file(path, uri=kept.get(source, uri), max_bytes=max_bytes)
                _refuse_conflict(document, others.get(document.id), uris, index.name)
            except (LoadError, DocumentConflict) as error:
                report.failed.append(error)
                continue
            others[document.id] = document
            if _is_changed(known.get(document.id), document, rechunk, report):
                changed[document.id] = document
        on_progress("load", len(files), len(files))
        gone = [*twins.values(), *(_gone(known, paths, files, unreadable) if prune else [])]
        gone = [document for document in gone if document.id not in changed]
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
        # Also where there are none: the collection is this embedder's from now on.
        _commit(index, embedder, documents, [], report, on_progress)
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


def _kept(known: Mapping[str, DocumentSummary], uris: Mapping[str, str]) -> dict[str, str]:
    """The one name that each known source of `uris` goes by from now on: the one there, if it has that already."""
    kept: dict[str, str] = {}
    for document in known.values():
        uri = uris.get(document.source)
        if uri == document.uri:
            kept[document.source] = uri
        elif uri is not None:
            kept.setdefault(document.source, document.uri)
    return kept


def _refuse_conflict(
    document: Document, other: DocumentSummary | Document | None, uris: Mapping[str, str], collection: str
) -> None:
    if other and other.source != document.source and Path(other.source).exists():
        help = "Ingest the folder above both, or put one of them into another collection."
        if uris.get(other.source, other.uri) != other.uri:  # that folder it is: an earlier ingest gave the name
            again = f"qa remove {shlex.quote(other.uri)} --collection {collection}"
            help = f"Run `{again}`, then this again: each gets the name that it has in the folder."
        raise DocumentConflict(
            f"{document.source} and {other.source} would both be {document.uri} in this collection", help=help
        )


def _gone(
    known: Mapping[str, DocumentSummary], paths: Iterable[Path], seen: Container[str], unreadable: Iterable[Path]
) -> list[DocumentSummary]:
    """What came from under `paths` and was not seen; below what cannot be read nobody knows."""
    roots, dark = ([Path(source_of(path)) for path in several] for several in (paths, unreadable))

    def below(source: str, folders: list[Path]) -> bool:
        return any(Path(source).is_relative_to(folder) for folder in folders)

    return [
        document
        for document in known.values()
        if document.source not in seen and below(document.source, roots) and not below(document.source, dark)
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
    """Commit what changed, if anything did."""
    if documents or gone:
        _commit(index, embedder, documents, gone, report, on_progress)
    elif index.exists():
        index.repair()
        with suppress(CollectionMissing), index.snapshot() as snapshot:
            report.generation = snapshot.stats().generation


def _commit(
    index: Index,
    embedder: Embedder,
    documents: Sequence[Document],
    gone: Sequence[str],
    report: IngestReport,
    on_progress: Progress,
) -> None:
    """Chunk and embed documents, keeping vectors as they come, then commit one generation."""
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
