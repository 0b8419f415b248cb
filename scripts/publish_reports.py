#!/usr/bin/env python3
"""Put reports of `qa evaluate` into the documentation: their Markdown, their figures, one table, a picture of a page.

    python scripts/publish_reports.py reports/article reports/squad-open reports/grounding --to docs/evaluation

Questions of files that are not part of the project are left out, since their texts are under other terms, and so are
those of reports over a megabyte.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from qa.evaluation.report import write_json

OURS = ("article_dev.jsonl",)
MOST_BYTES = 1_000_000
COLUMNS = {
    "questions": "questions",
    "right": "right",
    "answers_right": "of the answers right",
    "exact_match": "EM",
    "f1": "F1",
    "refusal_precision": "refusal precision",
    "refusal_recall": "refusal recall",
    "auroc_answerable": "AUROC",
    "citations_exact": "citations exact",
    "citation_sentence_recall": "sentence recall",
    "retrieved_recall@5": "recall@5",
    "reranked_mrr": "MRR",
}

INTRODUCTION = """# What the shipped defaults score

Made by `make reports`; [what each figure means](../evaluation.md). Verbatim answers, and for
`article-auto` those of the bundled language model where it is supported; the models as shipped. The SQuAD 2.0 questions
are a thousand drawn with the seed, asked of all paragraphs of their file together (open) and of each question's own
(gold). The reader was calibrated on questions of the same articles: these are development figures, no blind test.
The verifier's pairs are of documents on which the support model was neither trained nor calibrated."""


def main() -> None:
    """Copy, tabulate, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path, nargs="+", help="folders that `qa evaluate --output` wrote")
    parser.add_argument("--to", type=Path, required=True, help="folder of the documentation")
    parser.add_argument("--picture", type=Path, help="the report whose page is drawn, as report.png")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    answers, verifiers = [], []
    for folder in options.reports:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        is_answers = "questions" in report["metrics"]
        (answers if is_answers else verifiers).append((folder.name, report))
        markdown = (folder / "report.md").read_text(encoding="utf-8")
        (options.to / f"{folder.name}.md").write_text(markdown, encoding="utf-8")
        if is_answers and not published(report):
            report["questions"] = []
        write_json(report, options.to / f"{folder.name}.json")
    (options.to / "README.md").write_text(table(answers, verifiers), encoding="utf-8")
    if options.picture:
        draw(options.picture / "report.html", options.to / "report.png")


def published(report: dict[str, Any]) -> bool:
    """Whether the questions of a report go with it."""
    return report["dataset"]["name"] in OURS and len(json.dumps(report)) < MOST_BYTES


def table(answers: list[tuple[str, dict[str, Any]]], verifiers: list[tuple[str, dict[str, Any]]]) -> str:
    """The reports side by side."""
    lines = [
        INTRODUCTION,
        "",
        f"| report | {' | '.join(COLUMNS.values())} |",
        "| --- |" + " ---: |" * len(COLUMNS),
    ]
    for name, report in answers:
        figures = report["metrics"]
        cells = [f"{figures.get(column, 0):.{0 if column == 'questions' else 3}f}" for column in COLUMNS]
        lines.append(f"| [{name}]({name}.md) | {' | '.join(cells)} |")
    for name, report in verifiers:
        figures = report["metrics"]
        lines += [
            "",
            f"The verifier on {figures['pairs']:.0f} [pairs of evidence and claim]({name}.md): balanced accuracy "
            f"{figures['balanced_accuracy']:.3f}, precision {figures.get('precision', 0):.3f}, "
            f"recall {figures['recall']:.3f}.",
        ]
    lines += ["", "![The page of a report](report.png)"]
    return "\n".join(lines) + "\n"


def draw(page: Path, picture: Path) -> None:
    """The top of a report's page as a browser shows it, in Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1000, "height": 860})
        view.goto(page.resolve().as_uri())
        view.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
