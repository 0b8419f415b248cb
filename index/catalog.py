"""The SQLite file that is the truth of a collection: documents with all their versions, chunks, words, vectors.

A collection's generation is a counter changed in the same transaction as its documents, so whoever reads inside one
transaction sees one complete generation. Vectors are kept by content hash: they may be written ahead of the
chunks that use them, and unchanged text is never embedded twice.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embed import Vectors
from index.errors import CatalogUnreadable, StorageFull
from index.sqlite import connect, transaction, version_of
from index.types import Chunk, Document, DocumentSummary, Passage, Span, StoredDocument, content_hash

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id TEXT NOT NULL, version TEXT NOT NULL, uri TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL,
    source_url TEXT, text TEXT NOT NULL, characters INTEGER NOT NULL, generation INTEGER NOT NULL,
    current INTEGER NOT NULL, PRIMARY KEY (id, version)
);
CREATE UNIQUE INDEX one_current_version ON documents (id) WHERE current;
CREATE TABLE deleted (id TEXT PRIMARY KEY, uri TEXT NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    sentences TEXT NOT NULL, text TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX chunks_of_document ON chunks (document_id, start);
CREATE INDEX chunks_by_hash ON chunks (hash);
CREATE TABLE vectors (
    embedder TEXT NOT NULL, hash TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, hash)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(
    text, content='chunks', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2'
);
"""

WORD = re.compile(r"\w+")
# Words that carry the form of a question rather than its subject: they cost time in a large index and move no rank.
FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "may",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "she",
        "should",
        "so",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)

# Constant pieces of SQL; every value goes in as a parameter.
_DOCUMENT = "SELECT id, uri, title, version, text, source, source_url, current, generation FROM documents WHERE"
_PASSAGE = """SELECT c.id, c.document_id, d.version, d.title, d.source_url, c.start, c."end", c.text, c.sentences
    FROM chunks c JOIN documents d ON d.id = c.document_id AND d.current"""


@dataclass(frozen=True, slots=True)
class Meta:
    """What a collection says of itself. `token` is drawn anew with every generation and names derived files."""

    generation: int
    token: str
    embedder: str
    dim: int
    chunker: str


def exists(path: Path) -> bool:
    """Whether there is a catalogue at `path`."""
    return path.is_file()


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside one read transaction; it can write nothing."""
    with _errors(path), closing(connect(path, "ro")) as db:
        db.execute("BEGIN")
        if version_of(db) != 0:  # a first ingest may have ended before there was a schema
            _check_schema(db, path)
        yield db


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside one write transaction, committed at the end and rolled back on any error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        _errors(path),
        closing(connect(path, "rwc")) as db,
        transaction(db, SCHEMA, SCHEMA_VERSION, lambda db: _check_schema(db, path)),
    ):
        yield db


def _check_schema(db: sqlite3.Connection, path: Path) -> None:
    version = version_of(db)
    if version != SCHEMA_VERSION:
        raise CatalogUnreadable(
            f"{path} has schema {version}, this release reads {SCHEMA_VERSION}",
            help=f"Delete {path.parent} and ingest again, or use the release that made it.",
        )


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = error.sqlite_errorname if hasattr(error, "sqlite_errorname") else ""
        if code.startswith(("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
            raise StorageFull(
                f"cannot write {path}: {error}",
                help="Nothing was changed. Free some disk space or check the folder's permissions, then run it again.",
            ) from error
        if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise CatalogUnreadable(
                f"{path} is damaged: {error}", help=f"Delete {path.parent} and ingest the documents again."
            ) from error
        raise


# -- reading ---------------------------------------------------------------------------------------------------------


def meta(db: sqlite3.Connection) -> Meta | None:
    """What the collection says of itself; None before its first generation."""
    if version_of(db) == 0:
        return None
    rows = dict(db.execute("SELECT key, value FROM meta"))
    if not rows:
        return None
    return Meta(int(rows["generation"]), rows["token"], rows["embedder"], int(rows["dim"]), rows["chunker"])


def lexical(db: sqlite3.Connection, question: str, k: int) -> list[tuple[int, float]]:
    """The `k` best chunks by BM25 for any word of the question, as (chunk id, score), higher is better.

    Each word is quoted, since FTS5 would read `'`, `$`, `AND` or `US-China` in a raw question as query syntax. It folds
    case and marks itself, as it did in the chunks; Python's way of folding differs (`ß`, `İ`).
    """
    words = list(dict.fromkeys(WORD.findall(unicodedata.normalize("NFC", question))))
    words = [word for word in words if word.lower() not in FUNCTION_WORDS] or words
    if not words:
        return []
    query = " OR ".join(f'"{word}"' for word in words)
    rows = db.execute("SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank, rowid LIMIT ?", (query, k))
    return [(int(chunk_id), float(score)) for chunk_id, score in rows]


def passages(db: sqlite3.Connection, ids: Sequence[int]) -> list[Passage]:
    """The chunks with these ids, in this order."""
    query = _PASSAGE + " WHERE c.id IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants
    found = {row[0]: _passage(row) for row in db.execute(query, (json.dumps(list(ids)),))}
    return [found[i] for i in ids if i in found]


def passage_before(db: sqlite3.Connection, passage: Passage) -> Passage | None:
    """The chunk that ends before this one begins, in the same document."""
    row = db.execute(
        _PASSAGE + " WHERE c.document_id = ? AND c.start < ? ORDER BY c.start DESC LIMIT 1",
        (passage.document_id, passage.start),
    ).fetchone()
    return _passage(row) if row else None


def _passage(row: tuple[Any, ...]) -> Passage:
    *fields, sentences = row
    return Passage(*[*fields, tuple(Span(start, end) for start, end in json.loads(sentences))])


def document(db: sqlite3.Connection, document_id: str, version: str | None = None) -> StoredDocument | None:
    """A version of a document, the current one by default."""
    row = db.execute(
        f"{_DOCUMENT} id = ?1 AND iif(?2 IS NULL, current, version = ?2)", (document_id, version)
    ).fetchone()
    return _stored(row) if row else None


def _stored(row: tuple[Any, ...]) -> StoredDocument:
    *fields, current, generation = row
    return StoredDocument(*[*fields, bool(current), generation])


def is_deleted(db: sqlite3.Connection, document_id: str) -> bool:
    """Whether the document was here and was once removed, with the versions that it had then."""
    return db.execute("SELECT 1 FROM deleted WHERE id = ?", (document_id,)).fetchone() is not None


def documents(db: sqlite3.Connection) -> list[DocumentSummary]:
    """The current version of every document, by URI."""
    rows = db.execute(
        "SELECT id, uri, title, version, source, source_url, characters, "
        "(SELECT count(*) FROM chunks c WHERE c.document_id = d.id) FROM documents d WHERE current ORDER BY uri"
    )
    return [DocumentSummary(*row) for row in rows]


def current_documents(db: sqlite3.Connection) -> Iterator[StoredDocument]:
    """The current version of every document with its text, one at a time."""
    return map(_stored, db.execute(f"{_DOCUMENT} current ORDER BY id"))


def counts(db: sqlite3.Connection) -> tuple[int, int]:
    """How many documents and chunks there are."""
    row = db.execute("SELECT (SELECT count(*) FROM documents WHERE current), (SELECT count(*) FROM chunks)").fetchone()
    return int(row[0]), int(row[1])


def vectors(db: sqlite3.Connection, about: Meta) -> tuple[NDArray[np.int64], Vectors]:
    """Chunk ids int64 (n,) and their vectors float32 (n, dim), by id."""
    query = "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.hash = c.hash AND v.embedder = ? ORDER BY c.id"
    ids, blobs = [], []
    for chunk_id, blob in db.execute(query, (about.embedder,)):
        ids.append(chunk_id)
        blobs.append(blob)
    matrix = np.frombuffer(b"".join(blobs), np.float32).reshape(len(ids), about.dim)
    return np.array(ids, np.int64), matrix


def missing_vectors(db: sqlite3.Connection, embedder: str, hashes: Iterable[str]) -> set[str]:
    """Those of `hashes` that have no vector of this embedder yet."""
    wanted = set(hashes)
    if version_of(db) == 0:
        return wanted
    have = db.execute(
        "SELECT hash FROM vectors WHERE embedder = ? AND hash IN (SELECT value FROM json_each(?))",
        (embedder, json.dumps(sorted(wanted))),
    )
    return wanted - {row[0] for row in have}


# -- writing ---------------------------------------------------------------------------------------------------------


def save_vectors(db: sqlite3.Connection, embedder: str, vectors_by_hash: Mapping[str, Vectors]) -> None:
    """Keep vectors by the hash of their text."""
    db.executemany(
        "INSERT OR REPLACE INTO vectors (embedder, hash, vector) VALUES (?, ?, ?)",
        [(embedder, key, np.ascontiguousarray(v, np.float32).tobytes()) for key, v in vectors_by_hash.items()],
    )


def remove_document(db: sqlite3.Connection, document_id: str, generation: int) -> None:
    """Forget a document and all its versions, but remember that it was here."""
    row = db.execute("SELECT uri FROM documents WHERE id = ? LIMIT 1", (document_id,)).fetchone()
    if row:
        remove_chunks(db, document_id)
        db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        db.execute("INSERT OR REPLACE INTO deleted VALUES (?, ?, ?)", (document_id, row[0], generation))


def forget_removed_words(db: sqlite3.Connection) -> None:
    """Rewrite the word index without the words of removed chunks, which FTS5 otherwise keeps until a later merge."""
    db.execute("INSERT INTO words (words) VALUES ('optimize')")


def remove_chunks(db: sqlite3.Connection, document_id: str) -> None:
    """Take a document's chunks out of both searches."""
    db.execute(
        "INSERT INTO words (words, rowid, text) SELECT 'delete', id, text FROM chunks WHERE document_id = ?",
        (document_id,),
    )
    db.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))


def put_document(db: sqlite3.Connection, doc: Document, chunks: Sequence[Chunk], generation: int) -> None:
    """Make this text the document's current version; earlier versions stay, so that old citations resolve."""
    remove_chunks(db, doc.id)
    db.execute("UPDATE documents SET current = 0 WHERE id = ?", (doc.id,))
    db.execute(
        "INSERT OR REPLACE INTO documents "
        "(id, version, uri, title, source, source_url, text, characters, generation, current) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (doc.id, doc.version, doc.uri, doc.title, doc.source, doc.source_url, doc.text, len(doc.text), generation),
    )
    for chunk in chunks:
        text = doc.text[chunk.start : chunk.end]
        sentences = json.dumps([[span.start, span.end] for span in chunk.sentences], separators=(",", ":"))
        cursor = db.execute(
            'INSERT INTO chunks (document_id, start, "end", sentences, text, hash) VALUES (?, ?, ?, ?, ?, ?)',
            (doc.id, chunk.start, chunk.end, sentences, text, content_hash(text)),
        )
        db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (cursor.lastrowid, text))


def put_meta(db: sqlite3.Connection, *, generation: int, embedder: str, dim: int, chunker: str) -> Meta:
    """Close a generation: number it, and drop vectors that nothing uses any more."""
    about = Meta(generation, secrets.token_hex(6), embedder, dim, chunker)
    rows = {
        "generation": str(generation), "token": about.token, "embedder": embedder, "dim": str(dim), "chunker": chunker,
    }  # fmt: skip
    db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows.items())
    db.execute("DELETE FROM vectors WHERE embedder <> ? OR hash NOT IN (SELECT hash FROM chunks)", (embedder,))
    return about
