"""`qa evaluate`: how good is it, and is it better than before? Imports nothing heavy before it runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--questions", type=FILE, help="JSON lines as tests/data/README.md describes them, or a SQuAD file.")
@click.option("--documents", type=click.Path(exists=True, path_type=Path), help="Folder or file to ask them of.")
@click.option("--collection", metavar="NAME", help="A collection that is there already.")
@click.option(
    "--paragraphs",
    type=click.Choice(["open", "gold"]),
    default="open",
    show_default=True,
    help="Without --documents and --collection: all paragraphs of the SQuAD file, or each question's own only.",
)
@click.option("--url", help="A running server to ask, its collection `default` unless --collection names another.")
@click.option(
    "--mode", type=click.Choice(["extractive", "auto", "generative"]), default="extractive", show_default=True
)
@click.option("--top-k", type=click.IntRange(1, 50), help="Passages to retrieve.  [default: QA_TOP_K]")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Ask only N of the questions, drawn with the seed.")
@click.option("--seed", default=13, show_default=True, help="Of the sample and of the bootstrap.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Questions to ask at a time.")
@click.option(
    "--timeout", default=120.0, show_default=True, type=click.FloatRange(0.001), help="Seconds an answer may take."
)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Folder for the report.")
@click.option(
    "--gate", type=FILE, help="JSON object of floors, metric to least value; exit code 1 where one is missed."
)
@click.option("--baseline", type=FILE, help="A report.json to compare with, question by question.")
@click.option("--grounding", type=FILE, help="JSON lines of evidence and claim, perhaps .gz: measures the verifier.")
def evaluate(
    questions: Path | None, grounding: Path | None, output: Path | None, gate: Path | None, **rest: Any
) -> None:
    """Ask all questions of a file and report how good the answers, refusals, citations and retrieval are.

    Writes report.json, report.md and report.html to --output, and timings.json apart, so that reports diff. An error or
    a time-out counts as a wrong answer. Interrupt and repeat it at will: what was answered is kept.

    \b
    qa evaluate --questions questions.jsonl --documents docs/ --output reports/today
    qa evaluate --questions dev-v2.0.json --sample 1000 --output reports/open
    qa evaluate --questions dev-v2.0.json --paragraphs gold --output reports/gold
    qa evaluate --questions questions.jsonl --url http://127.0.0.1:8000 --jobs 4
    qa evaluate --questions questions.jsonl --documents docs/ --baseline reports/today/report.json
    qa evaluate --grounding claims.jsonl.gz --output reports/grounding
    """
    from qa.cli import EXIT_ERROR, EXIT_INTERRUPTED, plain

    if (questions is None) == (grounding is None):
        raise click.UsageError("Name a file of --questions, or one of --grounding.")
    _refuse_together(grounding=grounding, **rest)
    floors = None
    if gate:
        from qa.evaluation.gate import below, load_floors

        floors = load_floors(gate)  # before the work: it may not be readable
    source = questions or grounding
    assert source  # noqa: S101 - one of them is there
    folder = output or Path("reports") / source.name.partition(".")[0]
    try:
        report = _report(questions, grounding, folder, rest)
    except KeyboardInterrupt:
        kept = "What was answered is kept: run the same command again to go on." if questions else "Nothing is kept."
        click.echo(f"\nInterrupted. {kept}", err=True)
        sys.exit(EXIT_INTERRUPTED)
    click.echo(plain(_printed(report)))
    click.echo(f"\nwritten: {', '.join(str(f) for f in sorted(folder.glob('report.*')))}", err=True)
    if floors is not None:
        low = below(report["metrics"], floors)
        for name, (measured, floor) in low.items():
            said = "is not measured" if measured is None else f"is {measured:g}"
            click.secho(f"{plain(name)} {said}, its floor is {floor:g}", err=True, fg="red")
        sys.exit(EXIT_ERROR if low else 0)


def _report(questions: Path | None, grounding: Path | None, folder: Path, rest: dict[str, Any]) -> dict[str, Any]:
    if grounding:
        from qa.evaluation.grounding import evaluate_grounding

        return evaluate_grounding(grounding, folder, sample=rest["sample"], seed=rest["seed"])
    from qa.evaluation.run import Options, evaluate

    assert questions  # noqa: S101 - looked at by the caller
    return evaluate(Options(questions=questions, output=folder, **rest))


def _refuse_together(grounding: Path | None, **rest: Any) -> None:
    beside = [f"--{name}" for name in ("documents", "collection", "url", "baseline") if rest[name]]
    if grounding and beside:
        raise click.UsageError(f"--grounding judges pairs by themselves: leave out {', '.join(beside)}.")
    if rest["documents"] and (rest["collection"] or rest["url"]):
        raise click.UsageError("--documents are indexed here: leave out --collection and --url, or --documents.")
    if rest["paragraphs"] == "gold" and (rest["url"] or rest["collection"] or rest["documents"]):
        raise click.UsageError(
            "--paragraphs gold asks each question of its own paragraph, in process: leave the rest out."
        )


def _printed(report: dict[str, Any]) -> str:
    """The questions that are not right, if any, then the metrics."""
    lines = [
        f"WRONG  {line['id']}  p={line['answerable_probability']:.2f}  {line['composed_by'] or line['status']:<14}  "
        f"{line['question']}\n       {line['error'] or line['answer']}"
        for line in report.get("questions", ())
        if not line["scores"]["right"]
    ]
    shown = lines[:30] + ([f"… and {len(lines) - 30} more: see report.html"] if len(lines) > 30 else [])
    return "\n".join([*shown, json.dumps(report["metrics"], indent=2)])
