"""SQLite files as this project writes them: one transaction, complete on disk or not there at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection that begins and ends transactions only when told; `mode` is `ro` or `rwc`."""
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    # A generator that streams an answer may be resumed by another thread, never by two at once.
    db = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA temp_store = MEMORY")
    return db


def version_of(db: sqlite3.Connection) -> int:
    """The version of the schema; 0 where there is none yet."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(
    db: sqlite3.Connection, schema: str, version: int, check: Callable[[sqlite3.Connection], None]
) -> Iterator[None]:
    """A write transaction, committed at the end and rolled back on any error.

    The schema is laid out where there is none; `check` raises for a file of another version.
    """
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = ON")  # the text of what is deleted leaves the file, too
    db.execute("BEGIN IMMEDIATE")
    try:
        if version_of(db) == 0:
            for statement in schema.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {version}")
        check(db)
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
