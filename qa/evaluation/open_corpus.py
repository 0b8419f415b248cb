"""A SQuAD file as an open corpus: every paragraph a document of one collection, every question asked of all of them."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from index.chunk import CHUNKER, chunk_text
from index.store import ChunkedDocument, Snapshot
from index.types import Document, Span, content_hash, document_id
from qa.evaluation.metrics import contains_gold, f1
from qa.extract import excerpt
from qa.find import judge
from qa.pipeline import QA
from qa.rerank import ReadPassage
from qa.retrieve import RankedPassage, retrieve


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the file; `golds` is empty where its paragraph does not answer it."""

    article: str
    document_id: str
    question: str
    golds: tuple[str, ...]
    places: tuple[Span, ...]  # of the gold answers, in the document


@dataclass(frozen=True, slots=True)
class Read:
    """What the reader made of one passage, and how right that is.

    `score` and `quote_score` are logits against no answer: of the best span in the passage, and of the sentences that
    would be shown for it. `relevant`: the passage holds a gold answer in its place.
    """

    score: float
    cosine: float
    quote_score: float
    span_f1: float
    right: bool
    relevant: bool


def load_questions(path: Path, limit: int, seed: int) -> tuple[list[Document], list[Asked]]:
    """The paragraphs of a SQuAD 1.1 or 2.0 file as documents, and `limit` of its questions, drawn with the seed."""
    documents, questions = [], []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            uri = f"{article['title']}/{number}"
            documents.append(Document(uri, article["title"].replace("_", " "), paragraph["context"], "squad"))
            questions += [_asked(article["title"], document_id(uri), qa) for qa in paragraph["qas"]]
    return documents, random.Random(seed).sample(questions, min(limit, len(questions)))  # noqa: S311


def _asked(article: str, document: str, qa: dict[str, Any]) -> Asked:
    answers = [] if qa.get("is_impossible") else qa["answers"]
    places = tuple(Span(a["answer_start"], a["answer_start"] + len(a["text"])) for a in answers)
    return Asked(article, document, qa["question"], tuple(a["text"] for a in answers), places)


def index_documents(qa: QA, documents: Sequence[Document]) -> None:
    """Make these documents the default collection."""
    chunked = [ChunkedDocument(d, tuple(chunk_text(d.text, qa.embedder.count_tokens))) for d in documents]
    texts = sorted({item.document.text[c.start : c.end] for item in chunked for c in item.chunks})
    index = qa.collections.get("default")
    vectors = {content_hash(t): qa.embedder.embed_query(t) for t in tqdm(texts, desc="embed", file=sys.stderr)}
    index.save_vectors(qa.embedder.name, vectors)
    index.commit(chunked, [], embedder=qa.embedder.name, dim=qa.embedder.dim, chunker=CHUNKER)


def ask_all(qa: QA, questions: Sequence[Asked], top_k: int) -> list[list[Read]]:
    """For each question what the reader makes of each of the `top_k` passages, in the order of retrieval."""
    with qa.collections.get("default").snapshot() as snapshot:
        asked = tqdm(questions, desc="read", file=sys.stderr)
        return [
            [
                _read(qa, snapshot, question, item)
                for item in retrieve(
                    snapshot, qa.embedder, question.question, top_k=top_k, candidates=qa.settings.candidates
                )
            ]
            for question in asked
        ]


def _read(qa: QA, snapshot: Snapshot, question: Asked, item: RankedPassage) -> Read:
    passage = item.passage
    best = qa.reader.read(question.question, [passage.text], 1)[0][0]
    read = ReadPassage(item, [best], qa.calibration.preference(best.score, item.cosine))
    quoted = excerpt(passage, read.place(best), snapshot.passage_before)
    found = judge(question.question, read, best, quoted, qa.reader, qa.calibration)
    inside = Span(passage.start, passage.end)
    return Read(
        score=found.score,
        cosine=item.cosine,
        quote_score=found.quote_score,
        span_f1=f1(found.words, question.golds) if question.golds else 0.0,
        right=contains_gold(quoted.text(), question.golds),
        relevant=passage.document_id == question.document_id and any(p.overlaps(inside) for p in question.places),
    )
