"""A report as files: `report.json`, `report.md`, `report.html`, and `timings.json` apart, so that reports diff."""

from __future__ import annotations

import json
import resource
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qa.evaluation import metrics
from qa.evaluation.asking import Row

Report = dict[str, Any]

GROUPS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("Questions", ("questions", "answerable", "unanswerable", "answered", "errors", "timeouts")),
    ("Answers", ("right", "answerable_right", "answers_right", "exact_match", "f1", "contains_gold")),
    ("Refusals", ("unanswerable_refused", "refusal", "auroc", "risk", "calibration", "withheld")),
    ("Citations", ("citation", "alce")),
    ("Retrieval", ("retrieved", "reranked")),
    ("Generation", ("written", "claim", "sentences")),
)
"""The sections of report.md, and how the names of the metrics in them begin."""

_COUNTS = frozenset(
    {"questions", "answerable", "unanswerable", "answered", "errors", "timeouts", "answerable_right", "claims"}
    | {"unanswerable_refused", "written_by_llm", "written_by_llm_wrong", "sentences_drafted", "sentences_dropped"}
)


def write_json(value: Mapping[str, Any], path: Path) -> None:
    """Write beside and rename, so that an interrupted run leaves the file before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False) + "\n", encoding="utf-8")
    beside.replace(path)


def timings(rows: Sequence[Row], seconds: float, jobs: int, *, asked: int, here: bool) -> dict[str, Any]:
    """Milliseconds by step and by event, as p50, p95 and p99; questions a second; the most memory held, in MB.

    The steps are the service's own, `quote`, `claim` and `answer` when the first such event came. Memory is that of
    this process, hence unknown for a server.
    """
    by_name: dict[str, list[float]] = {}
    for row in rows:
        for name, ms in (row.get("reply") or {}).get("ms", {}).items():
            by_name.setdefault(name, []).append(ms)
    return {
        "milliseconds": {name: metrics.percentiles(values) for name, values in sorted(by_name.items())},
        "asked_now": asked,
        "jobs": jobs,
        "seconds": round(seconds, 2),
        "questions_a_second": round(asked / seconds, 2) if seconds and asked else None,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024) if here else None,
        "questions": {row["id"]: row["reply"]["ms"] for row in rows if "reply" in row},
    }


def grouped(figures: Mapping[str, float]) -> list[tuple[str, dict[str, float]]]:
    """The metrics by section of the report, in the order in which they are there."""
    found: dict[str, dict[str, float]] = {title: {} for title, _ in GROUPS}
    for name, value in figures.items():
        title = next((t for t, starts in GROUPS if name in starts), None)
        title = title or next((t for t, starts in GROUPS if name.startswith(starts)), "Answers")
        found[title][name] = value
    return [(title, values) for title, values in found.items() if values]


ORDERS = {
    "retrieved": "passages as retrieved",
    "reranked": "passages as the reader ordered them",
    "retrieved_sentence": "their sentences, as retrieved",
    "reranked_sentence": "their sentences, as reordered",
}


def rankings(figures: Mapping[str, float]) -> list[tuple[str, list[str], list[str]]]:
    """The measures of ranking as rows: what is ranked, the names of the measures, and their figures."""
    rows = []
    for order, title in ORDERS.items():
        values = {
            name.removeprefix(f"{order}_"): value
            for name, value in figures.items()
            if name.startswith(f"{order}_") and "sentence" not in name.removeprefix(f"{order}_")
        }
        if values:
            rows.append((title, list(values), [f"{value:.3f}" for value in values.values()]))
    return rows


def shown(name: str, value: float) -> str:
    """A figure as it is printed: counts whole, shares with three places."""
    return f"{value:.0f}" if name in _COUNTS else f"{value:.3f}"


def markdown(report: Report) -> str:
    """The report for people, without the questions but those that failed and, with a baseline, those that changed."""
    about = report["dataset"]
    lines = [
        f"# Evaluation on {about['name']}",
        "",
        f"{report['metrics']['questions']:.0f} questions, asked of {about['documents']}, mode "
        f"{report['settings']['mode']}, {report['system']}. Every question counts; an error scores zero. "
        "`report.json` has each question.",
        "",
    ]
    for title, figures in grouped(report["metrics"]):
        if title == "Retrieval":
            lines += [f"## {title}", "", *_rankings(figures), ""]
            continue
        lines += [f"## {title}", "", "| metric | value | 95% interval |", "| --- | ---: | ---: |"]
        for name, value in figures.items():
            low_high = report["intervals"].get(name)
            interval = f"{low_high[0]:.3f} to {low_high[1]:.3f}" if low_high else ""
            lines.append(f"| {name} | {shown(name, value)} | {interval} |")
        lines.append("")
    lines += _by_kind(report)
    failed = [line for line in report["questions"] if line["error"]]
    if failed:
        lines += (
            ["## Errors", ""] + [f"- `{_plain(q['id'])}` {q['status']}: {_plain(q['error'])}" for q in failed] + [""]
        )
    if report.get("comparison"):
        lines += comparison(report["comparison"])
    lines += ["## Made with", ""]
    lines += [f"- {part}: {model['name']} ({(model['sha256'] or 'no file here')[:12]})"
              for part, model in report["models"].items()]  # fmt: skip
    lines += [f"- {name} {version}" for name, version in report["versions"].items()]
    lines += [f"- {about['name']}: SHA-256 {about['sha256'][:12]}; documents {about['documents_sha256'][:12]}"]
    lines += [f"- seed {report['seed']}"]
    return "\n".join(lines) + "\n"


def _rankings(figures: Mapping[str, float]) -> list[str]:
    lines: list[str] = []
    head: list[str] = []
    for title, measures, values in rankings(figures):
        if measures != head:
            head = measures
            lines += [""] if lines else []
            lines += [f"| | {' | '.join(head)} |", "| --- |" + " ---: |" * len(head)]
        lines.append(f"| {title} | {' | '.join(values)} |")
    return lines


def by_kind(questions: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, float, float]]:
    """For each type of question: how many, the share right and the mean F1; the most frequent first."""
    counts = Counter(line["kind"] for line in questions)
    rows = []
    for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        scores = [line["scores"] for line in questions if line["kind"] == name]
        rows.append((name, n, sum(s["right"] for s in scores) / n, sum(s["f1"] for s in scores) / n))
    return rows


def _by_kind(report: Report) -> list[str]:
    lines = ["## By type of question", "", "| type | questions | right | F1 |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {name} | {n} | {right:.3f} | {f1:.3f} |" for name, n, right, f1 in by_kind(report["questions"])]
    return [*lines, ""]


def comparison(found: Mapping[str, Any]) -> list[str]:
    """The lines that set a report against its baseline."""
    lines = [
        "## Against the baseline",
        "",
        f"{found['same_questions']} questions are in both, {found['only_here']} only here, "
        f"{found['only_in_baseline']} only in the baseline. A difference whose interval holds 0 may be chance.",
        "",
        "| score | questions | before | now | difference | 95% interval |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in found["scores"].items():
        low, high = row["interval"]
        lines.append(
            f"| {name} | {row['questions']} | {row['before']:.3f} | {row['now']:.3f} | {row['difference']:+.3f} | "
            f"{low:+.3f} to {high:+.3f} |"
        )
    for word in ("better", "worse"):
        lines += ["", f"{len(found[word])} got {word}:" if found[word] else f"None got {word}.", ""]
        lines += [
            f"- `{_plain(c['id'])}` {_plain(c['question'])} {_plain(_said(c['before']))} → {_plain(_said(c['now']))}"
            for c in found[word]
        ]
    return [*lines, ""]


def _said(side: Mapping[str, Any]) -> str:
    return str(side["short_answer"] or side["status"])


def _plain(text: str) -> str:
    """Text of documents, users and models inside Markdown: no line breaks, no markup, no HTML."""
    flat = " ".join(text.split()).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    for mark in "`*_[]|#":
        flat = flat.replace(mark, "\\" + mark)
    return flat
