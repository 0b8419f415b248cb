"""Question to ranked passages: dense and lexical search, their scores fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.embed import Embedder
from index.store import Snapshot
from index.types import Passage

DENSE_WEIGHT = 0.6
"""Share of the cosine in the fused score, a convex combination of two scores scaled by their best (Bruch, Gai and
Ingber, An Analysis of Fusion Functions for Hybrid Retrieval, TOIS 2023). Chosen of 0.5 to 0.8, see docs/deciding.md."""


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage with its rank, from 1, and score in each search that found it.

    `score` is the fused one, from 0 to 1; 1 is a passage that both searches like best. `cosine` is the similarity of
    question and passage, or the most it can be where only the lexical search found it.
    """

    passage: Passage
    score: float
    cosine: float
    dense_rank: int | None
    lexical_rank: int | None
    lexical_score: float | None


def retrieve(
    snapshot: Snapshot, embedder: Embedder, question: str, *, top_k: int, candidates: int
) -> list[RankedPassage]:
    """The `top_k` passages of both searches together, best first, ties by passage id."""
    dense = snapshot.dense(embedder.embed_query(question), candidates)
    lexical = snapshot.lexical(question, candidates)
    fused = fuse(dense, lexical, candidates)[:top_k]
    dense_by_id = {i: (cosine, rank) for rank, (i, cosine) in enumerate(dense, 1)}
    farther = (dense[-1][1] if dense else 0.0, None)
    lexical_by_id = {i: (rank, score) for rank, (i, score) in enumerate(lexical, 1)}
    passages = {passage.id: passage for passage in snapshot.passages([i for i, _ in fused])}
    return [
        RankedPassage(passages[i], score, *dense_by_id.get(i, farther), *lexical_by_id.get(i, (None, None)))
        for i, score in fused
    ]


def fuse(
    dense: Sequence[tuple[int, float]], lexical: Sequence[tuple[int, float]], candidates: int
) -> list[tuple[int, float]]:
    """(id, 0.6 × cosine / best cosine + 0.4 × BM25 / best BM25), best first, ties by id.

    Where a search gave all the `candidates` it was asked for, one that it did not give counts as its last; where it
    gave fewer, as nothing.
    """
    fused = dict.fromkeys((i for i, _ in (*dense, *lexical)), 0.0)
    for weight, ranking in ((DENSE_WEIGHT, dense), (1 - DENSE_WEIGHT, lexical)):
        scores = dict(ranking)
        best = max(scores.values(), default=0.0)
        rest = ranking[-1][1] if len(ranking) >= candidates else 0.0
        for i in fused if best > 0 else ():
            fused[i] += weight * max(0.0, scores.get(i, rest)) / best
    return sorted(fused.items(), key=lambda item: (-item[1], item[0]))
