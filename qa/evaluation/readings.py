"""What the reader makes of every passage retrieved for a question: what calibration is fitted on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from index.store import Snapshot
from index.types import Span, document_id
from qa.decide import answer_odds
from qa.evaluation.metrics import contains_gold, f1
from qa.evaluation.questions import Question
from qa.extract import excerpt
from qa.find import judge
from qa.pipeline import QA
from qa.rerank import ReadPassage
from qa.retrieve import RankedPassage, retrieve


@dataclass(frozen=True, slots=True)
class Read:
    """What the reader made of one passage, and how right that is.

    `score` and `quote_score` are logits against no answer: of the best span in the passage, and of the sentences
    that would be shown for it; `odds` are the support model's that these bear out the answer. `relevant`: the
    passage holds a gold answer in its place.
    """

    score: float
    fused: float
    quote_score: float
    odds: float
    span_f1: float
    right: bool
    relevant: bool


def read_all(qa: QA, questions: Sequence[Question], top_k: int) -> list[list[Read]]:
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


def _read(qa: QA, snapshot: Snapshot, question: Question, item: RankedPassage) -> Read:
    passage = item.passage
    best = qa.reader.read(question.question, [passage.text], 1)[0][0]
    read = ReadPassage(item, [best], qa.calibration.preference(best.score, item.score))
    quoted = excerpt(passage, read.place(best), snapshot.passage_before)
    odds = answer_odds(question.question, qa.judge, qa.calibration)
    found = judge(question.question, read, best, quoted, qa.reader, qa.calibration, odds)
    inside = Span(passage.start, passage.end)
    return Read(
        score=found.score,
        fused=item.score,
        quote_score=found.quote_score,
        odds=found.odds,
        span_f1=f1(found.words, question.golds) if question.golds else 0.0,
        right=contains_gold(quoted.text(), question.golds),
        relevant=any(
            passage.document_id == document_id(e.document) and e.span.overlaps(inside) for e in question.evidence
        ),
    )
