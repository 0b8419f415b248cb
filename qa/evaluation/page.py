"""`report.html`: one file with everything in it, no script and no address. Texts of documents and users are data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from index.types import Span
from qa.evaluation.plots import plots
from qa.evaluation.report import Report, comparison, grouped, rankings, shown
from qa.evaluation.scoring import Line

WORST = 40
"""Questions that are shown with their passages."""
PASSAGES = 3

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

HEADLINE = {
    "right": "of all questions right",
    "answers_right": "of the answers right",
    "f1": "F1, refusals included",
    "refusal_recall": "of the unanswerable refused",
    "citations_exact": "citations exact",
    "reranked_mrr": "MRR of the evidence",
}

TextOf = Callable[[str, str], str]
"""Gives the text of a document of the collection that a question, by id, was asked of."""


def html(report: Report, timings: Mapping[str, Any] | None, text_of: TextOf) -> str:
    """The page of a report. The same report gives the same page, but for the plot of `timings`."""
    drawn = {caption: Markup(svg) for caption, svg in plots(report["questions"], timings).items()}  # noqa: S704 - ours
    return _environment.get_template("report.html").render(
        report=report,
        groups=[
            (title, [(name, shown(name, value), report["intervals"].get(name)) for name, value in figures.items()])
            for title, figures in grouped(report["metrics"])
            if title != "Retrieval"
        ],
        rankings=_tables(rankings(report["metrics"])),
        headline=[
            (words, shown(name, report["metrics"][name]))
            for name, words in HEADLINE.items()
            if name in report["metrics"]
        ],
        plots=drawn,
        comparison="\n".join(comparison(report["comparison"])) if report.get("comparison") else "",
        worst=[_worst(line, text_of) for line in worst(report["questions"])[:WORST]],
        wrong=sum(not line["scores"]["right"] for line in report["questions"]),
    )


def _tables(rows: Sequence[tuple[str, list[str], list[str]]]) -> list[tuple[list[str], list[tuple[str, list[str]]]]]:
    """Rows with the same measures together: the head, and the rows under it."""
    heads: dict[tuple[str, ...], list[tuple[str, list[str]]]] = {}
    for title, measures, values in rows:
        heads.setdefault(tuple(measures), []).append((title, values))
    return [(list(head), under) for head, under in heads.items()]


def worst(lines: Sequence[Line]) -> list[Line]:
    """The questions that are not right: errors first, then wrong answers, the surest first, then refusals."""
    order = {"error": 0, "timeout": 0, "answered": 1, "not_answerable": 2}
    wrong = [line for line in lines if not line["scores"]["right"]]
    return sorted(wrong, key=lambda line: (order[line["status"]], -line["answerable_probability"], line["id"]))


def _worst(line: Line, text_of: TextOf) -> dict[str, Any]:
    """A question with its first passages, and those that hold the evidence, in pieces that say how each is marked."""
    gold = [(item["document_id"], _span(item)) for item in line["gold"]]
    cited = [(item["document_id"], _span(item)) for item in line["citations"]]
    passages = []
    for rank, item in enumerate(line["passages"], 1):
        document, span = item["document_id"], _span(item)
        relevant = any(d == document and s.overlaps(span) for d, s in gold)
        if rank > PASSAGES and not relevant and not any(d == document and s.overlaps(span) for d, s in cited):
            continue
        marks = {"gold": [s for d, s in gold if d == document], "cited": [s for d, s in cited if d == document]}
        passages.append({"rank": rank, "item": item, "pieces": pieces(text_of(line["id"], document), span, marks)})
    unseen = [
        {"document": item["document"], "text": _span(item).of(text_of(line["id"], item["document_id"]))}
        for item in line["gold"]
        if not any(p["document_id"] == item["document_id"] and _span(p).overlaps(_span(item)) for p in line["passages"])
    ]
    return {"line": line, "passages": passages, "unseen": unseen}


def pieces(text: str, span: Span, marks: Mapping[str, Sequence[Span]]) -> list[tuple[str, str]]:
    """`span` of a text cut where a mark begins or ends: (text, names of the marks on it, joined by a space)."""
    cuts = {span.start, span.end}
    cuts |= {at for spans in marks.values() for s in spans for at in (s.start, s.end) if span.start < at < span.end}
    edges = sorted(cuts)
    return [
        (
            text[start:end],
            " ".join(name for name, spans in marks.items() if any(s.overlaps(Span(start, end)) for s in spans)),
        )
        for start, end in pairwise(edges)
    ]


def _span(item: Mapping[str, Any]) -> Span:
    return Span(item["start_char_index"], item["end_char_index"])
