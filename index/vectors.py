"""The FAISS side of a collection: derived from the catalogue, made anew whenever it is missing or behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embed import Vectors

EXACT_LIMIT = 50_000
"""Up to this many chunks every vector is compared; above, an inverted file of 8-bit vectors is searched."""

PROBED_LISTS = 32
"""Lists of the inverted file that a search visits; tests/test_store.py holds its recall against exact search."""


def build(ids: NDArray[np.int64], vectors: Vectors, *, exact_limit: int = EXACT_LIMIT) -> Any:
    """A FAISS index over unit vectors float32 (n, dim), inner product, under the given int64 ids (n,)."""
    import faiss

    count, dim = vectors.shape
    index: Any
    if count <= exact_limit:
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
    else:
        # FAISS's guidelines: 4 to 16 times the root of n, and at least 39 training vectors a list.
        lists = max(1, min(int(4 * np.sqrt(count)), count // 39))
        coarse: Any = faiss.IndexFlatIP(dim)
        index = faiss.IndexIVFScalarQuantizer(
            coarse, dim, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.own_fields, _ = True, coarse.this.disown()
        index.nprobe = PROBED_LISTS
        sample = np.random.default_rng(13).choice(count, size=min(count, 50 * lists), replace=False)
        index.train(vectors[np.sort(sample)])
    index.add_with_ids(vectors, ids)
    return index


def search(index: Any, vector: Vectors, k: int) -> list[tuple[int, float]]:
    """The `k` nearest as (chunk id, cosine), best first, ties by id."""
    k = min(k, index.ntotal)
    if k == 0:
        return []
    scores, ids = index.search(vector.reshape(1, -1), k)
    # FAISS pads a short result with id -1.
    hits = [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i != -1]
    return sorted(hits, key=lambda hit: (-hit[1], hit[0]))


def write(index: Any, path: Path) -> None:
    """Write beside and rename into place, so that the file is complete or not there."""
    import faiss

    beside = path.with_suffix(".partial")
    try:
        faiss.write_index(index, str(beside))
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> Any | None:
    """The index in this file, or None when it is not there or not whole."""
    import faiss

    try:
        return faiss.read_index(str(path))
    except RuntimeError:
        return None
