"""The straight line: questions × documents × system -> rows -> lines -> metrics -> report."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.embed import Embedder
from qa.build import build_embedder, build_judge, build_qa
from qa.errors import SettingsError
from qa.evaluation import about, corpus, plots, scoring
from qa.evaluation.asking import Row, answered, ask_all
from qa.evaluation.compare import compare, load_baseline
from qa.evaluation.corpus import Corpus, Paragraphs
from qa.evaluation.page import html
from qa.evaluation.questions import Dataset, Question, load_dataset
from qa.evaluation.report import Report, markdown, timings, write_json
from qa.evaluation.summary import intervals, summarise
from qa.evaluation.support import SupportJudge
from qa.evaluation.systems import InProcess, Server, System
from qa.evaluation.texts import Texts
from qa.settings import Settings, load_settings
from qa.types import AskedMode

DIGITS = 9
"""Places of scores that come from float32: the last bits may differ between processors."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is evaluated. One of `documents`, `collection` and the question file's own paragraphs, the default."""

    questions: Path
    output: Path
    documents: Path | None = None
    collection: str | None = None
    paragraphs: Paragraphs = "open"
    url: str | None = None
    mode: AskedMode = "extractive"
    top_k: int | None = None
    sample: int | None = None
    seed: int = 13
    jobs: int = 1
    timeout: float = 120.0
    baseline: Path | None = None


def evaluate(options: Options) -> Report:
    """Ask, score, and write the report's files to `options.output`; what was asked before an interruption is kept.

    Raises `QAError` and `IndexingError` for what cannot be read, reached or indexed; a question that fails is a line of
    the report.
    """
    plots.require_matplotlib()
    settings = load_settings()
    dataset = load_dataset(options.questions).sample(options.sample, options.seed)
    baseline = load_baseline(options.baseline) if options.baseline else None
    embedder = build_embedder(settings)
    documents = _documents(options, dataset, settings, embedder)
    with closing(_system(options, settings, documents)) as system:
        return _evaluated(options, settings, dataset, documents, system, embedder, baseline)


def _evaluated(
    options: Options,
    settings: Settings,
    dataset: Dataset,
    documents: Corpus,
    system: System,
    embedder: Embedder,
    baseline: Mapping[str, Any] | None,
) -> Report:
    texts = _texts(system, documents, dataset.questions)
    _look_for_evidence(dataset, texts)
    report = _head(options, settings, dataset, documents, texts)
    key = hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()[:12]
    partial = options.output / f"partial-{key}.jsonl"

    began, before = time.perf_counter(), len(answered(partial))
    rows = ask_all(system, dataset.questions, documents.collection_of, partial, options.jobs)
    seconds = time.perf_counter() - began
    judge = SupportJudge(embedder, settings.support_threshold, build_judge(settings))
    lines = score_all(dataset.questions, rows, texts, judge, options.top_k)
    if options.url:
        report["models"] = _named_models(rows)
    report["metrics"] = summarise(lines)
    report["intervals"] = intervals(lines, options.seed)
    report["comparison"] = compare(lines, baseline, options.seed) if baseline else None
    report["questions"] = lines
    times = timings(rows, seconds, options.jobs, asked=len(rows) - before, here=not options.url)
    write(report, times, options.output, lambda question, document: texts[question].of(document))
    partial.unlink(missing_ok=True)
    return report


def score_all(
    questions: Sequence[Question],
    rows: Sequence[Row],
    texts: Mapping[str, Texts],
    judge: SupportJudge,
    top_k: int | None,
) -> list[scoring.Line]:
    """The lines of all questions with all their scores."""
    lines = [scoring.score(q, row, texts[q.id], judge) for q, row in zip(questions, rows, strict=True)]
    most = max((len(line["passages"]) for line in lines), default=0)
    scoring.add_rankings(lines, questions, texts, top_k or max(1, most))
    rounded: list[scoring.Line] = _rounded(lines)
    return rounded


def write(report: Report, times: Mapping[str, Any], output: Path, text_of: Any) -> None:
    """All files of a report."""
    write_json(report, output / "report.json")
    write_json(times, output / "timings.json")
    (output / "report.md").write_text(markdown(report), encoding="utf-8")
    (output / "report.html").write_text(html(report, times, text_of), encoding="utf-8")


def _documents(options: Options, dataset: Dataset, settings: Settings, embedder: Embedder) -> Corpus:
    if options.url or options.collection:
        return corpus.stored(options.collection or "default", None)
    if options.documents:
        return corpus.from_files(options.documents, settings, embedder)
    if not dataset.paragraphs:
        raise SettingsError(
            f"{options.questions} brings no documents", help="Name them with --documents DIR or --collection NAME."
        )
    return corpus.from_paragraphs(dataset, options.paragraphs, settings, embedder)


def _system(options: Options, settings: Settings, documents: Corpus) -> System:
    if options.url:
        return Server(options.url, options.mode, options.top_k, options.timeout)
    qa = build_qa(settings)
    if documents.collections:
        qa.collections = documents.collections
    return InProcess(qa, options.mode, options.top_k, options.timeout)


def _texts(system: System, documents: Corpus, questions: Sequence[Question]) -> dict[str, Texts]:
    by_collection: dict[str, Texts] = {}
    found = {}
    for question in questions:
        name = documents.collection_of(question)
        if name not in by_collection:
            by_collection[name] = Texts(system, name)
        found[question.id] = by_collection[name]
    return found


def _look_for_evidence(dataset: Dataset, texts: Mapping[str, Texts]) -> None:
    """Refuse documents that hold no evidence at all: they are hardly the ones that the questions were written for."""
    with_evidence = [question for question in dataset.questions if question.evidence]
    if with_evidence and not any(texts[question.id].gold(question) for question in with_evidence):
        named = with_evidence[0].evidence[0].document
        raise SettingsError(
            f"none of the documents that {dataset.name} names as evidence is there, such as {named}",
            help="Name the documents that the questions are about; `document` is the stem of a file's name.",
        )
    for question in with_evidence:
        for item in question.evidence:
            several = sorted(map(texts[question.id].uri, texts[question.id].named(item.document)))
            if len(several) > 1:
                raise SettingsError(
                    f"question {question.id} names {item.document} as evidence, which may be {' or '.join(several)}",
                    help="Write the whole name of one of them.",
                )


def _head(
    options: Options, settings: Settings, dataset: Dataset, documents: Corpus, texts: Mapping[str, Texts]
) -> Report:
    """What a run is made with: the beginning of its report, and the key by which it is gone on with."""
    asked = {"mode": options.mode, "top_k": options.top_k, "timeout": options.timeout}
    service = {} if options.url else about.settings_of(settings)
    listed = sorted({item for found in texts.values() for item in found.listed()})
    return {
        "system": f"the server at {options.url}" if options.url else "in process",
        "settings": service | {name: value for name, value in asked.items() if value is not None},
        "models": {} if options.url else about.models_of(settings),
        "dataset": {
            "name": dataset.name,
            "sha256": dataset.checksum,
            "questions": len(dataset.questions),
            "sampled": options.sample if options.sample and options.sample == len(dataset.questions) else None,
            "documents": documents.about,
            "documents_sha256": hashlib.sha256(json.dumps(listed).encode()).hexdigest(),
        },
        "seed": options.seed,
        "versions": about.versions(),
    }


def _named_models(rows: Sequence[Row]) -> dict[str, dict[str, str | None]]:
    """The models of a server, by the names that its answers give; their files are not here."""
    named: dict[str, str | None] = next(
        (row["reply"]["answer"].get("models", {}) for row in rows if "reply" in row), {}
    )
    return {part: {"name": name, "sha256": None} for part, name in named.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
