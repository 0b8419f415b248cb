#!/usr/bin/env python3
"""Ask every question of a file and report how many are answered right, cited right and refused right.

    python scripts/evaluate.py --questions tests/data/article_dev.jsonl --documents seeds --mode extractive

An answerable question counts as right when it is answered, a gold answer stands in the answer (whole words, case and
punctuation aside), and a citation overlaps the gold evidence. Every question counts: an error is a wrong answer.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from index.ingest import ingest
from qa.build import build_qa
from qa.evaluation.metrics import contains_gold
from qa.pipeline import QA
from qa.settings import load_settings
from qa.types import Answer


@dataclass(frozen=True, slots=True)
class Judged:
    """One question and what became of it."""

    id: str
    answerable: bool
    status: str
    right: bool
    citations_exact: bool
    composed_by: str | None
    probability: float
    question: str
    answer: str
    error: str | None = None


def main() -> None:
    """Ingest into a fresh collection, ask, judge, report; the exit code says whether the floors hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True, help="JSON lines, as in tests/data/README.md")
    parser.add_argument("--documents", type=Path, required=True, help="folder or file to ingest")
    parser.add_argument("--mode", choices=["extractive", "auto", "generative"], default="extractive")
    parser.add_argument("--output", type=Path, help="write every question and its answer there, as JSON")
    parser.add_argument("--gate", type=Path, help="JSON object of floors, metric name to least value")
    options = parser.parse_args()

    questions = [json.loads(line) for line in options.questions.read_text(encoding="utf-8").splitlines() if line]
    with tempfile.TemporaryDirectory() as folder:
        qa = build_qa(load_settings(data_dir=Path(folder)))
        report = ingest(qa.collections.get("default"), qa.embedder, [options.documents])
        if report.failed:
            sys.exit(f"could not ingest: {report.failed}")
        judged = [judge(qa, question, options.mode) for question in tqdm(questions, desc="ask", file=sys.stderr)]
    metrics = summarise(judged)
    for item in judged:
        verdict = "right" if item.right else "WRONG"
        print(f"{verdict}  {item.id}  p={item.probability:.2f}  {item.composed_by or item.status:<14}  {item.question}")
        print(f"       {item.error or item.answer}")
    print(json.dumps(metrics, indent=2))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        record = {"metrics": metrics, "questions": [asdict(item) for item in judged]}
        options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if options.gate:
        floors = json.loads(options.gate.read_text(encoding="utf-8"))
        low = {name: (metrics[name], floor) for name, floor in floors.items() if metrics[name] < floor}
        if low:
            sys.exit(f"below the floor (measured, floor): {low}")


def judge(qa: QA, question: dict[str, Any], mode: Any) -> Judged:
    """Ask one question and compare with gold."""
    try:
        answer = qa.ask(question["question"], mode=mode)
    except Exception as error:  # counted, not skipped
        return Judged(
            question["id"], question["answerable"], "error", False, True, None, 0, question["question"], "", repr(error)
        )
    if question["answerable"]:
        right = (
            answer.status == "answered"
            and contains_gold(answer.answer, question["answers"])
            and any(overlaps(answer, evidence, qa) for evidence in question["evidence"])
        )
    else:
        right = answer.status == "not_answerable"
    return Judged(
        question["id"],
        question["answerable"],
        answer.status,
        right,
        all(exact(answer, i, qa) for i in range(len(answer.citations))),
        answer.composed_by,
        answer.answerable_probability,
        question["question"],
        answer.answer,
    )


def overlaps(answer: Answer, evidence: dict[str, Any], qa: QA) -> bool:
    """Whether a citation shares text with the gold evidence. The evidence names a document by its file's stem."""
    with qa.collections.get("default").snapshot() as snapshot:
        stems = {document.id: Path(document.uri).stem for document in snapshot.documents()}
    return any(
        stems[c.document_id] == evidence["document"]
        and c.start_char_index < evidence["end_char_index"]
        and evidence["start_char_index"] < c.end_char_index
        for c in answer.citations
    )


def exact(answer: Answer, i: int, qa: QA) -> bool:
    """Whether the cited text is exactly what stands at its offsets in the document."""
    citation = answer.citations[i]
    with qa.collections.get("default").snapshot() as snapshot:
        text = snapshot.document(citation.document_id, citation.document_version).text
    return text[citation.start_char_index : citation.end_char_index] == citation.cited_text


def summarise(judged: list[Judged]) -> dict[str, float]:
    """Counts and rates over all questions."""
    answerable = [item for item in judged if item.answerable]
    others = [item for item in judged if not item.answerable]
    return {
        "answerable": len(answerable),
        "answerable_right": sum(item.right for item in answerable),
        "unanswerable": len(others),
        "unanswerable_refused": sum(item.right for item in others),
        "citations_exact": sum(item.citations_exact for item in judged) / len(judged),
        "written_by_llm": sum(item.composed_by == "llm" for item in judged),
        "written_by_llm_wrong": sum(item.composed_by == "llm" and not item.right for item in judged),
        "errors": sum(item.status == "error" for item in judged),
    }


if __name__ == "__main__":
    main()
