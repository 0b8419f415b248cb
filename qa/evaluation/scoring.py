"""From a question and what became of it to its line of the report, with its scores. Only the verifier is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from index.types import Span
from qa.evaluation import metrics, ranking
from qa.evaluation.asking import Row
from qa.evaluation.questions import Question, kind
from qa.evaluation.support import SupportJudge
from qa.evaluation.texts import Sentence, Texts

SENTENCE_CUTOFFS = (1, 5, 10, 20)
SENTENCE_MEASURES = ("recall@1", "recall@5", "recall@10", "recall@20", "ndcg@10", "mrr")

Line = dict[str, Any]
"""A question of the report: `id`, `status`, `answer`, `short_answer`, `citations`, `scores`, `error` and more."""


def passage_cutoffs(top_k: int) -> list[int]:
    """The k of recall@k: 1, 3, 5, 10, 20 as far as that many passages are retrieved, and all of them."""
    return [k for k in (1, 3, 5, 10, 20) if k < top_k] + [top_k]


def score(question: Question, row: Row, texts: Texts, judge: SupportJudge) -> Line:
    """The line of a question, without its scores in `ranked`, which are computed for all questions at once.

    An error or a time-out has no answer, hence the score 0 wherever an answer could have had one.
    """
    reply = row.get("reply") or {}
    answer: Mapping[str, Any] = reply.get("answer") or {}
    answered = row["status"] == "answered"
    failed = "error" in row
    citations = [_citation(item, texts) for item in answer.get("citations", ())]
    gold = texts.gold(question)
    scores: dict[str, float | None] = {}

    said = (answer["short_answer"] or "") if answered else ""
    scores["exact_match"], scores["f1"] = (0.0, 0.0) if failed else metrics.squad(said, question.golds)
    contains = answered and metrics.contains_gold(answer["answer"], question.golds)
    cites = any(_touches(item, gold) for item in citations)
    if question.answerable:
        scores["contains_gold"] = float(contains)
        scores["right"] = float(contains and (cites or not question.evidence))
    else:
        scores["right"] = float(row["status"] == "not_answerable")
    scores["citations_exact"] = 0.0 if failed else float(all(texts.exact(item) for item in answer["citations"]))
    scores |= _sentences(citations, gold, texts, answered=answered)
    if answered:
        claims = [(c["text"], [texts.passage(answer["citations"][i]) for i in c["citation_indices"]])
                  for c in answer["claims"]]  # fmt: skip
        recalls, precisions = judge.citations(claims)
        scores["alce_citation_recall"], scores["alce_citation_precision"] = _mean(recalls), _mean(precisions)
    line: Line = {
        "id": question.id,
        "question": question.question,
        "kind": kind(question.question),
        "answerable": question.answerable,
        "golds": list(dict.fromkeys(question.golds)),
        "status": row["status"],
        "answer": answer.get("answer", ""),
        "short_answer": answer.get("short_answer"),
        "answerable_probability": answer.get("answerable_probability", 0.0),
        "support_score": answer.get("support_score"),
        "composed_by": answer.get("composed_by"),
        "mode": answer.get("mode"),
        "note": answer.get("note"),
        "citations": citations,
        "claims": [{k: c[k] for k in ("text", "score", "citation_indices")} for c in answer.get("claims", ())],
        "passages": [_passage(item, texts) for item in answer.get("passages", ())],
        "gold": [
            {"document": texts.uri(d), "document_id": d, "start_char_index": s.start, "end_char_index": s.end}
            for d, spans in gold.items()
            for s in spans
        ],
        "drafted": reply.get("drafted"),
        "withheld": None,
        "scores": scores,
        "error": row.get("error"),
    }  # fmt: skip
    if reply.get("withheld"):
        words, text = reply["withheld"]
        exact, f1 = metrics.squad(words, question.golds)
        line["withheld"] = {
            "short_answer": words,
            "exact_match": exact if question.answerable else 0.0,
            "f1": f1 if question.answerable else 0.0,
            "contains_gold": float(metrics.contains_gold(text, question.golds)),
        }
    return line


def add_rankings(lines: Sequence[Line], questions: Sequence[Question], texts_of: Mapping[str, Texts], k: int) -> None:
    """Add the scores of ranking: of passages as retrieved and as the reader ordered them, and of their sentences.

    Sentences are ranked as their passages are, in their order inside each: unlike those of passages, these figures can
    be compared between ways of cutting texts into chunks.
    """
    passages: dict[str, dict[str, ranking.Ranking]] = {"retrieved": {}, "reranked": {}}
    sentences: dict[str, dict[str, ranking.Ranking]] = {"retrieved_sentence": {}, "reranked_sentence": {}}
    for line, question in zip(lines, questions, strict=True):
        if not question.answerable or not question.evidence:
            continue
        texts = texts_of[question.id]
        gold = texts.gold(question)
        wanted = {s for document, spans in gold.items() for s in texts.sentences(document, spans)}
        reranked = line["passages"]
        retrieved = sorted(reranked, key=lambda item: (-item["score"], int(item["id"])))
        for name, order in (("retrieved", retrieved), ("reranked", reranked)):
            spans = [(item["document_id"], Span(item["start_char_index"], item["end_char_index"])) for item in order]
            passages[name][question.id] = _ranked_passages(spans, gold, fallback=len(question.evidence))
            ranked = [s for document, span in spans for s in texts.sentences(document, [span])]
            missed = len(wanted - set(ranked)) or (0 if wanted else 1)
            sentences[f"{name}_sentence"][question.id] = ranking.Ranking(tuple(s in wanted for s in ranked), missed)
    measured = {name: ranking.measure(ranked, passage_cutoffs(k)) for name, ranked in passages.items()}
    measured |= {name: ranking.measure(ranked, SENTENCE_CUTOFFS) for name, ranked in sentences.items()}
    for line in lines:
        for name, by_question in measured.items():
            for measure, value in by_question.get(line["id"], {}).items():
                if name in passages or measure in SENTENCE_MEASURES:
                    line["scores"][f"{name}_{measure}"] = value


def _ranked_passages(spans: Sequence[Sentence], gold: Mapping[str, list[Span]], fallback: int) -> ranking.Ranking:
    """A passage is relevant if it touches the evidence; each place that none touches counts as a relevant one more."""
    relevant = tuple(any(span.overlaps(place) for place in gold.get(document, ())) for document, span in spans)
    missed = sum(
        not any(other == document and span.overlaps(place) for other, span in spans)
        for document, places in gold.items()
        for place in places
    )
    return ranking.Ranking(relevant, missed if gold else fallback)


def _sentences(
    citations: Sequence[Mapping[str, Any]], gold: Mapping[str, list[Span]], texts: Texts, *, answered: bool
) -> dict[str, float | None]:
    """Precision and recall of the sentences cited against those that the gold evidence touches.

    As with evidence sentences in FEVER (Thorne et al. 2018), for each question. Where nothing answers, whatever is
    cited is wrong; where nothing is cited, precision is left open and recall is 0.
    """
    spans: dict[str, list[Span]] = {}
    for item in citations:
        spans.setdefault(item["document_id"], []).append(Span(item["start_char_index"], item["end_char_index"]))
    cited = {s for document, places in spans.items() for s in texts.sentences(document, places)}
    wanted = {s for document, places in gold.items() for s in texts.sentences(document, places)}
    found = len(cited & wanted)
    return {
        "citation_sentence_precision": found / len(cited) if answered and cited else None,
        "citation_sentence_recall": found / len(wanted) if wanted else None,
    }


def _touches(citation: Mapping[str, Any], gold: Mapping[str, list[Span]]) -> bool:
    span = Span(citation["start_char_index"], citation["end_char_index"])
    return any(span.overlaps(place) for place in gold.get(citation["document_id"], ()))


def _citation(item: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    kept = ("document_id", "document_version", "start_char_index", "end_char_index", "cited_text", "score")
    return {"document": texts.uri(item["document_id"])} | {name: item[name] for name in kept}


def _passage(item: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    kept = ("id", "document_id", "start_char_index", "end_char_index", "score", "reader_score")
    return {"document": texts.uri(item["document_id"])} | {name: item[name] for name in kept}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
