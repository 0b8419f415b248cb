"""The SQLite file of what people leave behind: kept conversations, ratings, refused questions.

It lies beside the collections and has nothing to do with them: it can be deleted by itself, and ingest never touches
it. It is made with the first thing that is kept; asking writes nothing where nothing is to be kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from index.sqlite import connect, transaction, version_of
from qa.errors import RecordsUnavailable

FILE = "records.sqlite"
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, created REAL NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX conversations_by_expiry ON conversations (expires);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE, answer TEXT NOT NULL
);
CREATE INDEX turns_of_conversation ON turns (conversation, id);
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY AUTOINCREMENT, answer_id TEXT NOT NULL UNIQUE, rating TEXT NOT NULL, at REAL NOT NULL,
    collection TEXT NOT NULL, question TEXT NOT NULL, record TEXT NOT NULL
);
CREATE INDEX feedback_by_rating ON feedback (rating, id)
"""
LARGEST = 1 << 30
"""Bytes that the file may have; what comes after that is not kept until something is deleted or expires."""
_PAGE = 4096


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection inside one read transaction, which can write nothing; None where there is no file yet."""
    if not path.is_file():
        yield None
        return
    with _errors(path), closing(connect(path, "ro")) as db:
        db.execute("BEGIN")
        if version_of(db) == 0:  # it is being made
            yield None
            return
        _check_schema(db, path)
        yield db


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside one write transaction, committed at the end and rolled back on any error."""
    with _errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(connect(path, "rwc")) as db:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute(f"PRAGMA max_page_count = {LARGEST // _PAGE}")
            with transaction(db, SCHEMA, SCHEMA_VERSION, lambda db: _check_schema(db, path)):
                yield db


def _check_schema(db: sqlite3.Connection, path: Path) -> None:
    version = version_of(db)
    if version != SCHEMA_VERSION:
        raise RecordsUnavailable(
            f"{path} has schema {version}, this release reads {SCHEMA_VERSION}",
            help=f"Move {path} away, or use the release that made it.",
        )


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorname", "")
        damaged = code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))
        raise RecordsUnavailable(
            f"{path} is damaged: {error}" if damaged else f"cannot use {path}: {error}",
            help=f"Move {path} away; a new one is made."
            if damaged
            else "Nothing was changed. Free some disk space, check the folder's permissions, or delete old records.",
        ) from error
    except OSError as error:
        raise RecordsUnavailable(f"cannot use {path}: {error}", help="Check the folder's permissions.") from error
