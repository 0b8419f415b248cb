"""How ingest, asking, recall, memory and disk grow with the collection: text resampled from other documents."""

from __future__ import annotations

import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index import vectors
from index.chunk import chunk_text, split_sentences
from index.embed import Embedder, Vectors
from index.ingest import add
from index.types import Document, content_hash
from qa.build import build_qa
from qa.evaluation.metrics import percentiles
from qa.settings import load_settings

CHUNKS_A_DOCUMENT = 50
SENTENCES_A_CHUNK = 5
SEED = 13
NEIGHBOURS = 30
"""Neighbours that recall is taken over: as many as the dense search contributes by default."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A collection of a size. Times in seconds or milliseconds, sizes in MB (10^6 bytes); `memory_mb` is the peak of a
    process that made and asked it. `faiss_p50_ms` is the bare FAISS search in the dense one. `recall` is that of the
    vector search against exact search, at 30."""

    chunks: int
    ingest_s: float
    embedded: int
    ask_p50_ms: float
    ask_p95_ms: float
    dense_p50_ms: float
    faiss_p50_ms: float
    lexical_p50_ms: float
    recall: float
    memory_mb: float
    disk_mb: float


def grow(size: int, texts: Sequence[str], questions: Sequence[str], embed_up_to: int) -> Growth:
    """Make and ask a collection of about `size` chunks, in a process of its own.

    Above `embed_up_to` chunks their vectors are made from those of their sentences before the clock starts: embedding
    costs the same for every chunk, however many there are.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_grow, size, list(texts), list(questions), embed_up_to).result()


def resampled(size: int, texts: Sequence[str], seed: int = SEED) -> list[Document]:
    """Documents of about `size` chunks together, each chunk a paragraph of sentences drawn from all texts."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    pool = [span.of(text) for text in texts for span in split_sentences(text)]
    documents = []
    for first in range(0, size, CHUNKS_A_DOCUMENT):
        wanted = min(CHUNKS_A_DOCUMENT, size - first)
        paragraphs = [" ".join(draw.choices(pool, k=SENTENCES_A_CHUNK)) for _ in range(wanted)]
        name = f"resampled/{first // CHUNKS_A_DOCUMENT}"
        documents.append(Document(name, name, "\n\n".join(paragraphs), "resampled"))
    return documents


def vectors_alone(size: int, dim: int = 384, queries: int = 100, seed: int = SEED) -> dict[str, float]:
    """The vector index of `size` vectors alone: build time, search time, recall at 30, memory, size of its file.

    The vectors lie around 1,000 random centres, as those of texts do around their topics; questions are vectors of the
    collection, moved a little.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_vectors_alone, size, dim, queries, seed).result()


COLUMNS = {
    "chunks": ("chunks", ",.0f"),
    "embedded": ("embedded", ",.0f"),
    "ingest_s": ("ingest s", ".1f"),
    "ask_p50_ms": ("ask p50 ms", ".1f"),
    "ask_p95_ms": ("p95 ms", ".1f"),
    "dense_p50_ms": ("dense ms", ".2f"),
    "faiss_p50_ms": ("bare FAISS ms", ".2f"),
    "lexical_p50_ms": ("lexical ms", ".2f"),
    "recall": ("recall@30", ".3f"),
    "memory_mb": ("memory MB", ",.0f"),
    "disk_mb": ("disk MB", ",.0f"),
}


def table(rows: Sequence[Growth]) -> str:
    """The sizes as a Markdown table."""
    lines = [f"| {' | '.join(title for title, _ in COLUMNS.values())} |", "| ---: " * len(COLUMNS) + "|"]
    lines += [f"| {' | '.join(format(getattr(row, name), f) for name, (_, f) in COLUMNS.items())} |" for row in rows]
    return "\n".join(lines)


def as_json(rows: Sequence[Growth]) -> list[dict[str, float]]:
    """The sizes as JSON."""
    return [asdict(row) for row in rows]


def _grow(size: int, texts: list[str], questions: list[str], embed_up_to: int) -> Growth:
    with tempfile.TemporaryDirectory() as folder:
        qa = build_qa(load_settings(data_dir=Path(folder), llm="none"))
        qa.embedder.embed_query("loaded")
        index = qa.collections.get("default")
        documents = resampled(size, texts)
        if size > embed_up_to:
            index.save_vectors(qa.embedder.name, _made_up(documents, qa.embedder))
        began = time.perf_counter()
        report = add(index, qa.embedder, documents)
        ingest_s = time.perf_counter() - began
        index = qa.collections.get("default")
        qa.ask(questions[0], mode="extractive")
        ask_ms = [_ms(lambda q=question: qa.ask(q, mode="extractive")) for question in questions]
        asked = np.stack([qa.embedder.embed_query(question) for question in questions])
        with index.snapshot() as snapshot:
            chunks = snapshot.stats().chunks
            dense_ms = [_ms(lambda v=vector: snapshot.dense(v, NEIGHBOURS)) for vector in asked]
            bare: Any = index._cached[1] if index._cached else None  # the FAISS index, which the search before loaded
            faiss_ms = [_ms(lambda v=vector: bare.search(v[None], min(NEIGHBOURS, bare.ntotal))) for vector in asked]
            lexical_ms = [_ms(lambda q=question: snapshot.lexical(q, NEIGHBOURS)) for question in questions]
            found = [[i for i, _ in snapshot.dense(vector, NEIGHBOURS)] for vector in asked]
        memory = peak_mb()
        ids, matrix = _all_vectors(index.folder)
        recall = _recall(found, ids, matrix, asked)
        disk = sum(file.stat().st_size for file in index.folder.rglob("*") if file.is_file()) / 1e6
        ask, dense, lexical = percentiles(ask_ms), percentiles(dense_ms), percentiles(lexical_ms)
        return Growth(
            chunks, round(ingest_s, 2), report.embedded, ask["p50"], ask["p95"], dense["p50"],
            percentiles(faiss_ms)["p50"], lexical["p50"],
            round(recall, 4), round(memory), round(disk, 1),
        )  # fmt: skip


def _made_up(documents: Sequence[Document], embedder: Embedder) -> dict[str, Vectors]:
    """A unit vector for each chunk: the normalised sum of those of its sentences."""
    known: dict[str, Vectors] = {}
    made = {}
    for document in documents:
        for chunk in chunk_text(document.text, embedder.count_tokens):
            total = np.zeros(embedder.dim, np.float32)
            for span in chunk.sentences:
                sentence = span.of(document.text)
                if sentence not in known:
                    known[sentence] = embedder.embed_query(sentence)
                total += known[sentence]
            made[content_hash(document.text[chunk.start : chunk.end])] = total / np.linalg.norm(total)
    return made


def _all_vectors(folder: Path) -> tuple[np.ndarray, Vectors]:
    from index import catalog

    with catalog.reading(folder / "catalog.sqlite") as db:
        about = catalog.meta(db)
        assert about  # noqa: S101 - it has just been asked
        ids, matrix = catalog.vectors(db, about)
    return ids, matrix


def _recall(found: Sequence[Sequence[int]], ids: np.ndarray, matrix: Vectors, asked: Vectors) -> float:
    """The mean share of the true neighbours that were found; equal cosines are as good as each other."""
    shares = []
    for vector, got in zip(asked, found, strict=True):
        cosines = matrix @ vector
        k = min(NEIGHBOURS, len(ids))
        least = np.partition(cosines, -k)[-k] - 1e-6
        good = set(ids[cosines >= least].tolist())
        shares.append(min(1.0, len(good.intersection(got)) / k))
    return float(np.mean(shares))


def _vectors_alone(size: int, dim: int, queries: int, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(1000, dim)).astype(np.float32)
    matrix = np.empty((size, dim), np.float32)
    for start in range(0, size, 50_000):
        block = matrix[start : start + 50_000]
        block[:] = centres[rng.integers(0, len(centres), len(block))]
        block += rng.normal(scale=0.8, size=block.shape).astype(np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    asked = matrix[rng.choice(size, queries, replace=False)]
    asked = asked + rng.normal(scale=0.02, size=asked.shape).astype(np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    before = peak_mb()
    began = time.perf_counter()
    ids = np.arange(size, dtype=np.int64)
    index = vectors.build(ids, matrix)
    build_s = time.perf_counter() - began
    search_ms = [_ms(lambda v=vector: vectors.search(index, v, NEIGHBOURS)) for vector in asked]
    found = [[i for i, _ in vectors.search(index, vector, NEIGHBOURS)] for vector in asked]
    exact_ms = [_ms(lambda v=vector: np.argpartition(matrix @ v, -NEIGHBOURS)) for vector in asked[:10]]
    with tempfile.TemporaryDirectory() as folder:
        vectors.write(index, Path(folder) / "vectors.faiss")
        disk = (Path(folder) / "vectors.faiss").stat().st_size / 1e6
    return {
        "vectors": size,
        "build_s": round(build_s, 1),
        "search_p50_ms": percentiles(search_ms)["p50"],
        "search_p95_ms": percentiles(search_ms)["p95"],
        "exact_p50_ms": percentiles(exact_ms)["p50"],
        "recall": round(_recall(found, ids, matrix, asked), 4),
        "memory_before_mb": round(before),
        "memory_mb": round(peak_mb()),
        "disk_mb": round(disk, 1),
    }


def peak_mb() -> float:
    """The most memory this process has held (resident), in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _ms(run: object) -> float:
    began = time.perf_counter()
    run()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000
