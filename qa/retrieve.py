"""Question to ranked passages: dense and lexical search, fused by reciprocal rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.embed import Embedder
from index.store import Snapshot
from index.types import Passage

RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage with its rank, from 1, and score in each search that found it.

    `cosine` is the similarity of question and passage, or the most it can be where only the lexical search found it.
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
    fused = fuse(dense, lexical)[:top_k]
    dense_by_id = {i: (cosine, rank) for rank, (i, cosine) in enumerate(dense, 1)}
    farther = (dense[-1][1] if dense else 0.0, None)
    lexical_by_id = {i: (rank, score) for rank, (i, score) in enumerate(lexical, 1)}
    passages = {passage.id: passage for passage in snapshot.passages([i for i, _ in fused])}
    return [
        RankedPassage(passages[i], score, *dense_by_id.get(i, farther), *lexical_by_id.get(i, (None, None)))
        for i, score in fused
    ]


def fuse(*rankings: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Reciprocal rank fusion: (id, sum over the rankings of 1 / (60 + rank)), best first, ties by id."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, (i, _) in enumerate(ranking, 1):
            scores[i] = scores.get(i, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
