#!/usr/bin/env python3
"""Calibrate the support model on judged pairs, and report how well it tells supported claims from others.

    python scripts/calibrate_support.py --grounding dev.jsonl.gz --pairs tests/data/support_pairs/pairs.jsonl
    python scripts/calibrate_support.py --grounding dev.jsonl.gz --run .qa/support-run

Writes calibration.json beside the model: slope and intercept that make its logits probabilities, fitted on the part of
the documents that is kept for choosing (`training.grounding.PARTS`), each data set with the same weight; and what its
word counts beside that of the exact checks (`qa.weigh`), fitted on the claims of that part and on the written ones that
are kept apart (`training.written`). What is printed is measured on the test part, whose documents nothing was trained
or fitted on, and on the pairs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent.parent))  # `training` is part of the checkout, not of the package

from index.chunk import split_sentences
from index.embed import MiniLM
from index.types import Passage
from qa.evaluation.metrics import calibration_error
from qa.evaluation.support import SupportJudge
from qa.grounding import ended, plain
from qa.settings import load_settings
from qa.support import MODEL_DIR, SupportModel, log_odds
from qa.verify import Evidence
from qa.weigh import Weighing
from training.claims import Label
from training.grounding import Remembering, load_grounding, narrow_all, part_of
from training.written import kept_claims

SUPPORTED_SHARE = 0.6
"""How much the supported claims count of all that the weights are fitted on: the default of QA_SUPPORT_THRESHOLD."""
RIDGE = 1.0
"""Half of this times the squares of the weights is added to the loss: a prior that a few thousand claims outweigh."""


def main() -> None:
    """Fit, store, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grounding", type=Path, required=True, help="judged pairs, JSON lines, plain or gzipped")
    parser.add_argument("--pairs", type=Path, help="true and false claims by kind, as in tests/data/support_pairs")
    parser.add_argument("--run", type=Path, default=MODEL_DIR, help="folder with model.onnx (default: what ships)")
    parser.add_argument("--report-only", action="store_true", help="leave the calibration as it is")
    options = parser.parse_args()
    rows = [row for row in load_grounding(options.grounding) if part_of(row) != "train"]
    embedder = Remembering(MiniLM())
    model = SupportModel(options.run)  # reads its calibration when it first gives a verdict
    if not options.report_only:
        chosen = [row for row in rows if part_of(row) == "choose"]
        record = fit(model, chosen, embedder)
        stored = options.run / "calibration.json"
        stored.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        record["weighing"] = fit_weighing(SupportModel(options.run), chosen, embedder)  # of calibrated log-odds
        stored.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        print(json.dumps(record, indent=2))
        model = SupportModel(options.run)
    report_judged(model, [row for row in rows if part_of(row) == "test"], embedder)
    if options.pairs:
        report_pairs(model, options.pairs, embedder)


def fit(model, rows, embedder):  # type: ignore[no-untyped-def]
    """Platt scaling (Platt 1999) of the log-odds of support, balanced over data sets and labels."""
    pairs = narrow_all(rows, embedder, model.tokenizer)
    odds = [log_odds(model.logits(pair.evidence, pair.claim)) for pair in tqdm(pairs, desc="judge", leave=False)]
    labels = np.array([pair.label == Label.SUPPORTED for pair in pairs])
    groups = [(pair.kind.split("-")[0], bool(label)) for pair, label in zip(pairs, labels, strict=True)]
    weights = np.array([1 / groups.count(group) for group in groups])
    fitted = LogisticRegression(C=1e6).fit(np.array(odds)[:, None], labels, weights * len(groups))
    return {
        "slope": round(float(fitted.coef_[0][0]), 4),
        "intercept": round(float(fitted.intercept_[0]), 4),
        "made_from": f"{len(rows)} judged pairs of {len({row.document for row in rows})} documents",
    }


def fit_weighing(model, rows, embedder):  # type: ignore[no-untyped-def]
    """The weights of a logistic regression, none below zero, on claims that the exact checks reject.

    The supported ones count three to two: from a probability of 0.6 on, the default threshold, a claim is likelier
    where claims are supported than where they are not.
    """
    claims = [(row.evidence, row.claim, row.supported) for row in rows if len(split_sentences(row.claim)) == 1]
    claims += [(c.paragraph.text, c.claim, c.label == Label.SUPPORTED) for c in kept_claims()]
    found = []
    for evidence, claim, supported in tqdm(claims, desc="weigh", leave=False):
        seen = Evidence.of(embedder, [passage_of(evidence)], model).seen(ended(plain(claim)))
        if seen:
            found.append((seen.features, supported))
    features, labels = np.array([x for x, _ in found]), np.array([label for _, label in found])
    print(f"weights fitted on {len(found)} claims that the exact checks reject, {labels.mean():.0%} of them supported")
    return dataclasses.asdict(fitted_weights(features, labels))


def fitted_weights(features: np.ndarray, labels: np.ndarray) -> Weighing:
    """From features (n, 5), as `qa.weigh.Seen` has them, and whether each claim is supported, (n,) bool."""
    signs = np.where(labels, 1, -1)
    shares = np.where(labels, SUPPORTED_SHARE / labels.mean(), (1 - SUPPORTED_SHARE) / (1 - labels.mean()))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = signs * (weights[-1] + features @ weights[:-1])
        slope = -signs * expit(-margin) * shares
        gradient = np.append(features.T @ slope + RIDGE * weights[:-1], slope.sum())
        return (np.logaddexp(0, -margin) * shares).sum() + RIDGE / 2 * (weights[:-1] ** 2).sum(), gradient

    width = features.shape[1]
    bounds = [(0, None)] * width + [(None, None)]  # the intercept alone may be below zero
    fitted = minimize(loss, np.zeros(width + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return Weighing(*(round(float(weight), 4) for weight in fitted))


def report_judged(model, rows, embedder):  # type: ignore[no-untyped-def]
    """Balanced accuracy of the exact checks, of the model, and of both as the service uses them, by data set."""
    threshold = load_settings().support_threshold
    found = defaultdict(list)
    pairs = narrow_all(rows, embedder, model.tokenizer)
    for row, pair in tqdm(list(zip(rows, pairs, strict=True)), desc="verify", leave=False):
        exact = verified(row.evidence, row.claim, embedder, None)
        alone = model(pair.evidence, pair.claim).supported
        both = verified(row.evidence, row.claim, embedder, model)
        found[row.source].append((row.supported, exact, alone, both))
    print(f"{'':24}{'pairs':>6}{'exact':>9}{'model':>9}{'both':>9}{'AUROC model':>13}{'both':>7}{'ECE both':>10}")
    means = []
    for source, judged in sorted(found.items()):
        truth, exact, alone, both = (np.array(column, float) for column in zip(*judged, strict=True))
        scores = [
            balanced_accuracy_score(truth, exact >= threshold),
            balanced_accuracy_score(truth, alone >= 0.5),
            balanced_accuracy_score(truth, both >= threshold),
        ]
        if source.startswith("summedits"):
            means.append(scores)
        numbers = "".join(f"{100 * score:9.1f}" for score in scores)
        areas = f"{roc_auc_score(truth, alone):13.3f}{roc_auc_score(truth, both):7.3f}"
        print(f"{source:24}{len(truth):6}{numbers}{areas}{calibration_error(both, truth):10.3f}")
    print(f"{'summedits, mean':30}" + "".join(f"{100 * score:9.1f}" for score in np.mean(means, axis=0)))


def verified(evidence, text, embedder, model):  # type: ignore[no-untyped-def]
    """The lowest score of the sentences of a text that state something."""
    return SupportJudge(embedder, 0.0, model).score([passage_of(evidence)], text)


def passage_of(text):  # type: ignore[no-untyped-def]
    """A text as the only passage of a document."""
    return Passage(1, "doc", "1", "", None, 0, len(text), text, tuple(split_sentences(text)))


def report_pairs(model, path, embedder):  # type: ignore[no-untyped-def]
    """How many of the false claims are caught, and how many of the light and free paraphrases pass."""
    threshold = load_settings().support_threshold
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    judges = {
        "exact checks": lambda e, c: verified(e, c, embedder, None) >= threshold,
        "model alone": lambda e, c: model(e, c).supported >= 0.5,
        "both": lambda e, c: verified(e, c, embedder, model) >= threshold,
    }
    print(f"\n{'':16}{'':12}{'false caught':>14}{'light pass':>12}{'free pass':>11}")
    for name, passes in judges.items():
        for kind in ("roles", "qualifier", "negation", "all"):
            chosen = [r for r in records if kind in (r["kind"], "all")]
            caught = sum(not passes(r["evidence"], r["false_claim"]) for r in chosen)
            light = sum(passes(r["evidence"], r["true_claims"][0]) for r in chosen)
            free = sum(passes(r["evidence"], r["true_claims"][1]) for r in chosen)
            n = len(chosen)
            print(f"{name:16}{kind:12}{100 * caught / n:13.0f}%{100 * light / n:11.0f}%{100 * free / n:10.0f}%")
    false = np.array([model(r["evidence"], r["false_claim"]).supported for r in records])
    true = np.array([model(r["evidence"], claim).supported for r in records for claim in r["true_claims"]])
    least = np.quantile(true, 0.1)
    print(f"where 90 % of the true claims pass the model alone, it catches {100 * (false < least).mean():.0f} %")


if __name__ == "__main__":
    main()
