"""The documents that questions are asked of, indexed once and kept in the data directory for the next run."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from index.embed import Embedder
from index.errors import IndexingError, LoadError
from index.ingest import Progress, add, ingest
from index.store import Collections, Index
from index.types import Document, content_hash
from qa.evaluation.questions import Dataset, Question
from qa.settings import Settings

Paragraphs = Literal["open", "gold"]
"""A SQuAD file's own paragraphs: all of them together, or for each question only the one that it was asked about."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Where the documents are, what to call them in a report, and which collection a question is asked of."""

    collections: Collections | None
    about: str
    collection_of: Callable[[Question], str]


def stored(name: str, collections: Collections | None) -> Corpus:
    """A collection that is there, of this machine or of a server."""
    return Corpus(collections, f"collection {name}", lambda question: name)


def from_files(path: Path, settings: Settings, embedder: Embedder) -> Corpus:
    """A folder or file as one collection, brought up to date. Raises `LoadError` when a file cannot be read."""
    collections = _kept(settings, "files", str(path.resolve()), embedder.name)
    max_bytes = int(settings.max_document_mb * 1_000_000)
    with _bars() as on_progress:
        report = ingest(
            collections.get("default"), embedder, [path], prune=True, max_bytes=max_bytes, on_progress=on_progress
        )
    if report.failed:
        first: IndexingError = report.failed[0]
        raise LoadError(f"{len(report.failed)} of the documents cannot be read: {first}", help=first.help)
    return Corpus(collections, path.name, lambda question: "default")


def from_paragraphs(dataset: Dataset, paragraphs: Paragraphs, settings: Settings, embedder: Embedder) -> Corpus:
    """The paragraphs of a SQuAD file. Gold ones are a collection each, so that nothing else can be found."""
    collections = _kept(settings, paragraphs, dataset.checksum, embedder.name)
    if paragraphs == "open":
        index_documents(collections.get("default"), embedder, dataset.paragraphs)
        return Corpus(collections, "all its paragraphs together", lambda question: "default")
    wanted = {question.paragraph for question in dataset.questions}
    for document in tqdm(
        [d for d in dataset.paragraphs if d.uri in wanted], desc="index", file=sys.stderr, disable=None
    ):
        add(collections.get(_alone(document.uri)), embedder, [document])
    return Corpus(collections, "the paragraph of each", lambda question: _alone(question.paragraph))


def index_documents(index: Index, embedder: Embedder, documents: tuple[Document, ...]) -> None:
    """Bring documents into a collection, with progress bars."""
    with _bars() as on_progress:
        add(index, embedder, documents, on_progress=on_progress)


def _kept(settings: Settings, *key: str) -> Collections:
    return Collections(settings.data_dir / "evaluation" / hashlib.sha256("\n".join(key).encode()).hexdigest()[:16])


def _alone(uri: str) -> str:
    return "p" + content_hash(uri)


@contextmanager
def _bars() -> Iterator[Progress]:
    bars: dict[str, tqdm] = {}

    def on_progress(step: str, done: int, total: int) -> None:
        if step not in bars:
            bars[step] = tqdm(total=total, desc=step, file=sys.stderr, disable=None)
        bars[step].update(done - bars[step].n)

    try:
        yield on_progress
    finally:
        for bar in bars.values():
            bar.close()
