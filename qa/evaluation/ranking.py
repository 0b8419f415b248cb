"""How well things are ranked: trec_eval's own measures, by its Python binding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa.errors import ModelMissing

EXTRA = "Run: .venv/bin/pip install 'cited-qa[evaluate]' (in a checkout: make evaluate installs it)."


@dataclass(frozen=True, slots=True)
class Ranking:
    """What was ranked for a question, best first: whether each item is relevant, and how many relevant ones are not in.

    Relevance is binary.
    """

    relevant: tuple[bool, ...]
    missed: int


def measure(rankings: Mapping[str, Ranking], cutoffs: Sequence[int]) -> dict[str, dict[str, float]]:
    """For each question with something relevant: `recall@k`, `hit@k` and `ndcg@k` for each cutoff, and `mrr`.

    `recall@k`: share of the relevant items among the first k. `hit@k`: 1 if one is (trec_eval's `success`). `ndcg@k`:
    normalised discounted cumulative gain (Järvelin and Kekäläinen 2002). `mrr`: 1 / rank of the first relevant item, 0
    where there is none (Voorhees 1999). All as trec_eval computes them. Raises `ModelMissing` where the extra
    `evaluate` is not installed.
    """
    try:
        import pytrec_eval
    except ImportError as error:
        raise ModelMissing(f"evaluation needs a package that is not installed: {error.name}", help=EXTRA) from error

    qrels: dict[str, dict[str, int]] = {}
    runs: dict[str, dict[str, float]] = {}
    for key, ranking in rankings.items():
        if not any(ranking.relevant) and not ranking.missed:
            continue
        ranked = {f"r{at}": int(relevant) for at, relevant in enumerate(ranking.relevant)}
        qrels[key] = ranked | {f"m{at}": 1 for at in range(ranking.missed)}
        # Descending scores without ties; an item that nobody wants keeps trec_eval from leaving out an empty ranking.
        runs[key] = {name: float(-at) for at, name in enumerate(ranked)} or {"nothing": 0.0}
    names = {
        f"{theirs}_{k}": f"{ours}@{k}"
        for ours, theirs in (("recall", "recall"), ("hit", "success"), ("ndcg", "ndcg_cut"))
        for k in cutoffs
    } | {"recip_rank": "mrr"}
    every = ",".join(map(str, cutoffs))
    wanted = {f"recall.{every}", f"success.{every}", f"ndcg_cut.{every}", "recip_rank"}
    measured = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(runs) if qrels else {}
    return {key: {ours: float(values[theirs]) for theirs, ours in names.items()} for key, values in measured.items()}
