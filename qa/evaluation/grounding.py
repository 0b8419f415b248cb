"""How well the verifier tells supported claims from others: pairs of evidence and claim whose truth is known."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from index.chunk import chunk_text
from index.embed import Embedder
from index.types import Passage
from qa.build import build_embedder, build_judge
from qa.evaluation import about, metrics
from qa.evaluation.questions import InvalidDataset
from qa.evaluation.report import write_json
from qa.evaluation.support import SupportJudge
from qa.settings import load_settings

FORMATS = 'One JSON object a line, {"source", "evidence", "claim", "supported": bool}; .gz is read, too.'
LENGTHS = (500, 1500, 5000)
"""Where the lengths of evidence are divided, in characters: up to a paragraph, a page, some pages, and longer."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim, a text, and whether the second supports the first. `source` names the data set."""

    source: str
    evidence: str
    claim: str
    supported: bool


def load_pairs(path: Path) -> tuple[list[Pair], str]:
    """The pairs of a file and its SHA-256. Raises `InvalidDataset`."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InvalidDataset(f"cannot read {path}: {error}", help=FORMATS) from error
    pairs = list(_pairs(path, text))
    if not pairs:
        raise InvalidDataset(f"{path} has no pair", help=FORMATS)
    return pairs, hashlib.sha256(raw).hexdigest()


def evaluate_grounding(path: Path, output: Path, *, sample: int | None, seed: int) -> dict[str, Any]:
    """Judge every pair as a claim of an answer is judged, and write `report.json` and `report.md` to `output`."""
    pairs, checksum = load_pairs(path)
    if len({pair.supported for pair in pairs}) == 1:
        raise InvalidDataset(f"{path} has only pairs of one kind", help="Supported ones and others are told apart.")
    whole = len(pairs)
    if sample and sample < whole:
        pairs = [pairs[i] for i in sorted(random.Random(seed).sample(range(whole), sample))]  # noqa: S311
    settings = load_settings()
    embedder = build_embedder(settings)
    judge = SupportJudge(embedder, settings.support_threshold, build_judge(settings))
    scores = np.array([_score(judge, embedder, p) for p in tqdm(pairs, desc="verify", file=sys.stderr, disable=None)])
    report = {
        "settings": {"support_threshold": settings.support_threshold, "embedder": settings.embedder},
        "models": {"embedder": about.models_of(settings)["embedder"]},
        "dataset": {"name": path.name, "sha256": checksum, "pairs": len(pairs), "of": whole},
        "seed": seed,
        "versions": about.versions(),
        "metrics": measure(pairs, scores, settings.support_threshold),
    }
    write_json(report, output / "report.json")
    (output / "report.md").write_text(markdown(report), encoding="utf-8")
    return report


def measure(pairs: Sequence[Pair], scores: np.ndarray, threshold: float) -> dict[str, float]:
    """Balanced accuracy at the threshold, precision and recall of what is shown, AUROC: in all, by source, by length.

    Balanced accuracy is the figure of SummEdits and of LLM-AggreFact (Tang et al., EMNLP 2024). `macro` is its mean
    over the sources, so that the largest one does not decide.
    """
    true = np.array([pair.supported for pair in pairs])
    groups: dict[str, np.ndarray] = {"": np.ones(len(pairs), bool)}
    for source in sorted({pair.source for pair in pairs}):
        groups[f"_{source}"] = np.array([pair.source == source for pair in pairs])
    lengths = np.array([len(pair.evidence) for pair in pairs])
    for low, high in zip((0, *LENGTHS), (*LENGTHS, sys.maxsize), strict=True):
        name = f"_over_{low}_characters" if high == sys.maxsize else f"_{low}_to_{high}_characters"
        groups[name] = (lengths > low) & (lengths <= high)
    figures: dict[str, float | None] = {}
    for name, chosen in groups.items():
        said, wanted = scores[chosen] >= threshold, true[chosen]
        if not wanted.any() or wanted.all():
            continue
        precision, recall, _ = metrics.precision_recall(list(said), list(wanted))
        figures |= {
            f"pairs{name}": int(chosen.sum()),
            f"balanced_accuracy{name}": metrics.balanced_accuracy(said, wanted),
            f"precision{name}": precision if said.any() else None,
            f"recall{name}": recall,
            f"auroc{name}": metrics.auroc(list(scores[chosen]), list(wanted)),
        }
    by_source = [figures.get(f"balanced_accuracy_{source}") for source in sorted({pair.source for pair in pairs})]
    known = [value for value in by_source if value is not None]
    figures["balanced_accuracy_macro"] = sum(known) / len(known) if known else None
    return {name: round(float(value), 4) for name, value in figures.items() if value is not None}


def markdown(report: dict[str, Any]) -> str:
    """A table: a row for all pairs, each source and each length of evidence."""
    figures, about_data = report["metrics"], report["dataset"]
    rows = [name.removeprefix("pairs") for name in figures if name.startswith("pairs")]
    columns = ("pairs", "balanced_accuracy", "precision", "recall", "auroc")
    lines = [
        f"# Verifier on {about_data['name']}",
        "",
        f"{about_data['pairs']} of {about_data['of']} pairs of evidence and claim; a claim counts as supported from "
        f"the support score {report['settings']['support_threshold']} on. Mean of the balanced accuracies by source: "
        f"{figures.get('balanced_accuracy_macro', float('nan')):.3f}.",
        "",
        "| | pairs | balanced accuracy | precision | recall | AUROC |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        values = [figures.get(f"{column}{row}") for column in columns]
        title = row.strip("_").replace("_", " ") or "all"
        cells = ["" if value is None else f"{value:.3f}" for value in values[1:]]  # nothing said, no precision
        lines.append(f"| {title} | {values[0]:.0f} | {' | '.join(cells)} |")
    lines += ["", f"SHA-256 of the data {about_data['sha256'][:12]}; code {report['versions']['code']}."]
    return "\n".join(lines) + "\n"


def _score(judge: SupportJudge, embedder: Embedder, pair: Pair) -> float:
    """The support score of a claim by all sentences of its evidence, cut into passages as documents are."""
    chunks = chunk_text(pair.evidence, embedder.count_tokens)
    passages = [
        Passage(number, "doc", "", "", None, c.start, c.end, pair.evidence[c.start : c.end], c.sentences)
        for number, c in enumerate(chunks)
    ]
    return judge.score(passages, pair.claim)


def _pairs(path: Path, text: str) -> Iterator[Pair]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                r = json.loads(line)
                if r["supported"] not in (True, False):
                    raise ValueError(f"`supported` is {r['supported']!r}: neither true nor false")
                yield Pair(str(r["source"]), str(r["evidence"]), str(r["claim"]), bool(r["supported"]))
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidDataset(f"{path}, line {number}: {error!r}", help=FORMATS) from error
