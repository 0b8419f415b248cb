"""A collection on this machine: SQLite as the truth, FAISS derived from it. Everything local stays behind `Index`."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from index import catalog, vectors
from index.embed import Vectors
from index.errors import (
    CollectionMissing,
    CollectionName,
    DocumentGone,
    DocumentMissing,
    EmbedderMismatch,
    IngestBusy,
    StorageFull,
)
from index.types import Chunk, Document, DocumentSummary, Passage, StoredDocument

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class ChunkedDocument:
    """A document cut into chunks, ready to be added."""

    document: Document
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """How large a collection is."""

    generation: int
    documents: int
    chunks: int
    embedder: str
    dim: int
    chunker: str


class Snapshot(Protocol):
    """One complete generation of a collection, unchanged for as long as it is open."""

    def stats(self) -> Stats:
        """How large the collection is."""

    def dense(self, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """The `k` chunks nearest to a unit vector, as (passage id, cosine), best first."""

    def lexical(self, question: str, k: int) -> list[tuple[int, float]]:
        """The `k` best chunks by BM25, as (passage id, score), best first."""

    def passages(self, ids: Sequence[int]) -> list[Passage]:
        """The passages with these ids, in this order."""

    def passage_before(self, passage: Passage) -> Passage | None:
        """The passage before this one in its document, None at the beginning."""

    def document(self, document_id: str, version: str | None = None) -> StoredDocument:
        """A version of a document, the current one by default. Raises `DocumentMissing` or `DocumentGone`."""

    def documents(self) -> list[DocumentSummary]:
        """The current version of every document, by URI."""

    def current_documents(self) -> Iterator[StoredDocument]:
        """The current version of every document with its text."""


class Index(Protocol):
    """A collection: what can be asked of it and done to it."""

    @property
    def name(self) -> str:
        """The collection's name."""

    def exists(self) -> bool:
        """Whether anything was ever committed."""

    def snapshot(self, embedder: str | None = None) -> AbstractContextManager[Snapshot]:
        """Open the current generation. With `embedder`, refuse one made by another (`EmbedderMismatch`)."""

    def lock(self, on_wait: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Be the only writer. Whoever comes second waits, and is told `IngestBusy` when that takes too long."""

    def missing_vectors(self, embedder: str, hashes: Iterable[str]) -> set[str]:
        """Content hashes that have no vector of this embedder yet."""

    def save_vectors(self, embedder: str, vectors_by_hash: Mapping[str, Vectors]) -> None:
        """Keep vectors by content hash, ahead of the documents that use them."""

    def commit(
        self, add: Sequence[ChunkedDocument], remove: Sequence[str], *, embedder: str, dim: int, chunker: str
    ) -> int:
        """Add and remove documents in one step, and return the new generation."""

    def repair(self) -> None:
        """Make again whatever is derived from the truth and is missing or behind."""


class LocalIndex:
    """An `Index` in one folder: `catalog.sqlite`, and `vectors-<generation>-<token>.faiss` derived from it."""

    def __init__(self, folder: Path, *, lock_timeout: float = 60, exact_limit: int = vectors.EXACT_LIMIT) -> None:
        self.folder = folder
        self.lock_timeout = lock_timeout
        self.exact_limit = exact_limit
        self._catalog = folder / "catalog.sqlite"
        self._cache_lock = threading.Lock()
        self._cached: tuple[str, Any] | None = None  # (token, FAISS index) of the newest generation seen

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def exists(self) -> bool:
        """Whether there is a catalogue."""
        return catalog.exists(self._catalog)

    @contextmanager
    def snapshot(self, embedder: str | None = None) -> Iterator[LocalSnapshot]:
        """Open the current generation for reading."""
        ingest = f"Run `qa ingest PATH --collection {self.name}`"
        if not self.exists():
            raise CollectionMissing(
                f"there is no collection {self.name} in {self.folder.parent}", help=f"{ingest} first."
            )
        with catalog.reading(self._catalog) as db:
            about = catalog.meta(db)
            if about is None:
                raise CollectionMissing(
                    f"the first ingest into collection {self.name} was not finished", help=f"{ingest} to go on with it."
                )
            if embedder is not None and embedder != about.embedder:
                raise EmbedderMismatch(
                    f"collection {self.name} was made with {about.embedder}, not {embedder}",
                    help=f"Run `qa ingest --rebuild --collection {self.name}` to embed it again, "
                    "or set QA_EMBEDDER back.",
                )
            yield LocalSnapshot(self, db, about)

    @contextmanager
    def lock(self, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Be the only writer on this machine; the lock goes with the process, however it ends."""
        import filelock

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / "ingest.lock")
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                if on_wait:
                    on_wait()
                lock.acquire(timeout=self.lock_timeout)
        except filelock.Timeout:
            raise IngestBusy(
                f"another ingest has been writing to collection {self.name} for over {self.lock_timeout:.0f} s",
                help="Wait for it to finish, or stop it, then run this again.",
            ) from None
        except OSError as error:
            raise StorageFull(
                f"cannot write to {self.folder}: {error.strerror or error}",
                help="Check QA_DATA_DIR, the folder's permissions and the free space.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def missing_vectors(self, embedder: str, hashes: Iterable[str]) -> set[str]:
        """Content hashes that have no vector yet."""
        if not self.exists():
            return set(hashes)
        with catalog.reading(self._catalog) as db:
            return catalog.missing_vectors(db, embedder, hashes)

    def save_vectors(self, embedder: str, vectors_by_hash: Mapping[str, Vectors]) -> None:
        """Keep vectors, so that an interrupted ingest does not embed them again."""
        with catalog.writing(self._catalog) as db:
            catalog.save_vectors(db, embedder, vectors_by_hash)

    def commit(
        self, add: Sequence[ChunkedDocument], remove: Sequence[str], *, embedder: str, dim: int, chunker: str
    ) -> int:
        """Write one new generation, then the FAISS file that belongs to it."""
        with catalog.writing(self._catalog) as db:
            before = catalog.meta(db)
            generation = before.generation + 1 if before else 1
            for document_id in remove:
                catalog.remove_document(db, document_id, generation)
            if remove:
                catalog.forget_removed_words(db)
            for item in add:
                catalog.put_document(db, item.document, item.chunks, generation)
            about = catalog.put_meta(db, generation=generation, embedder=embedder, dim=dim, chunker=chunker)
        self.repair()
        return about.generation

    def repair(self) -> None:
        """Write the FAISS file of the current generation if it is not there, and drop those of earlier ones."""
        with catalog.reading(self._catalog) as db:
            about = catalog.meta(db)
            if about is None:
                return
            path = self._vectors_path(about)
            try:
                if not path.exists():
                    vectors.write(self._faiss(db, about), path)
                for old in self.folder.glob("vectors-*"):
                    if old != path:
                        old.unlink(missing_ok=True)
            except (OSError, RuntimeError) as error:
                # Derived data: the catalogue is complete, and whoever opens it builds this in memory.
                log.warning("could not write %s (%s); it will be rebuilt in memory when it is needed", path, error)

    def _vectors_path(self, about: catalog.Meta) -> Path:
        return self.folder / f"vectors-{about.generation}-{about.token}.faiss"

    def _faiss(self, db: Any, about: catalog.Meta) -> Any:
        """The FAISS index of this generation: from memory, from its file, or from the catalogue. Never writes."""
        with self._cache_lock:
            if self._cached and self._cached[0] == about.token:
                return self._cached[1]
            path = self._vectors_path(about)
            index = vectors.read(path) if path.exists() else None
            if index is None:
                ids, matrix = catalog.vectors(db, about)
                index = vectors.build(ids, matrix, exact_limit=self.exact_limit)
            self._cached = (about.token, index)
            return index


class LocalSnapshot:
    """A `Snapshot` over one SQLite read transaction and the FAISS index of the same generation."""

    def __init__(self, index: LocalIndex, db: Any, about: catalog.Meta) -> None:
        self._index = index
        self._db = db
        self._about = about

    def stats(self) -> Stats:
        """How large the collection is."""
        documents, chunks = catalog.counts(self._db)
        about = self._about
        return Stats(about.generation, documents, chunks, about.embedder, about.dim, about.chunker)

    def dense(self, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """Nearest chunks by cosine."""
        return vectors.search(self._index._faiss(self._db, self._about), vector, k)

    def lexical(self, question: str, k: int) -> list[tuple[int, float]]:
        """Best chunks by BM25."""
        return catalog.lexical(self._db, question, k)

    def passages(self, ids: Sequence[int]) -> list[Passage]:
        """Passages by id, in this order."""
        return catalog.passages(self._db, ids)

    def passage_before(self, passage: Passage) -> Passage | None:
        """The passage before this one."""
        return catalog.passage_before(self._db, passage)

    def document(self, document_id: str, version: str | None = None) -> StoredDocument:
        """A version of a document."""
        found = catalog.document(self._db, document_id, version)
        if found:
            return found
        what = f"version {version} of document {document_id}" if version else f"document {document_id}"
        if catalog.is_deleted(self._db, document_id):
            raise DocumentGone(
                f"{what} was deleted from collection {self._index.name}", help="`qa list` shows what is there."
            )
        raise DocumentMissing(
            f"there is no {what} in collection {self._index.name}", help="`qa list` shows what is there."
        )

    def documents(self) -> list[DocumentSummary]:
        """The list of documents."""
        return catalog.documents(self._db)

    def current_documents(self) -> Iterator[StoredDocument]:
        """Every document with its text."""
        return catalog.current_documents(self._db)


class Collections:
    """The collections under a data directory, each a folder of its own; nothing is shared between them."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "collections"
        self._open: dict[str, LocalIndex] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """The names of the collections that have a catalogue."""
        if not self._root.is_dir():
            return []
        return sorted(f.name for f in self._root.iterdir() if _NAME.fullmatch(f.name) and LocalIndex(f).exists())

    def get(self, name: str) -> LocalIndex:
        """The collection of this name, the same object every time; it need not exist yet."""
        if not _NAME.fullmatch(name):
            raise CollectionName(
                f"{name!r} cannot name a collection",
                help="Use up to 64 lower-case letters, digits, `-` and `_`, beginning with a letter or digit.",
            )
        with self._lock:
            if name in self._open:
                return self._open[name]
            index = LocalIndex(self._root / name)
            if index.exists():  # whoever asks for names that are not there must not fill the memory
                self._open[name] = index
            return index
