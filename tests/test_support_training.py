"""A run of the support model goes on where it was stopped, and what it leaves behind can be loaded and asked."""

from __future__ import annotations

import json
import math
import random
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from index.types import Span
from qa.evaluation.grounding import load_pairs
from qa.read import MODEL_DIR, onnx_reader, untruncated
from qa.support import SupportModel
from tests.test_claims import squad_file
from training.claims import Label, Pair
from training.corpus import Paragraph, load_squad
from training.export import average, export
from training.grounding import load_grounding, part_of
from training.trunk import freeze, trunk_folder
from training.written import Asked, Claimed, as_claims

ROOT = Path(__file__).parent.parent
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
JUDGED = [
    Pair("fm2", "The ferry closed in 1990.", "The ferry was closed down in 1990.", Label.SUPPORTED),
    Pair("fm2", "The ferry closed in 1990.", "The ferry closed in 1991.", Label.CONTRADICTED),
    Pair("wice", "The ferry closed in 1990.", "The ferry was sold.", Label.UNSUPPORTED),
]


def tiny() -> Any:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(3)
    return BertForSequenceClassification(BertConfig(**SIZES, num_labels=3))


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np
    import torch

    from training import loop, support
    from training.claims import ClaimMaker
    from training.examples import Maker

    tokenizer = untruncated(Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json")))
    monkeypatch.setattr(support, "BUCKET", 7)
    monkeypatch.setattr(loop, "SAVE_EVERY", 0)
    articles = load_squad(squad_file(tmp_path))
    questions = [q for article in articles for q in article.questions] * 6
    maker = ClaimMaker(Maker(articles, ["ferry", "boats"], np.eye(2, 8, dtype=np.float32)), onnx_reader())
    recipe = support.SupportRecipe(
        examples=64, mix={"said": 1.0, "told": 1.0}, init="tiny", warmup=1, judged=0.3, written=0.2, asked=0.2
    )
    claims = as_claims([Asked(q, ("Who sank the ferry?",)) for q in questions[:7]])
    asked, written = support.Twins(claims), support.Twins([replace(claimed, kind="light") for claimed in claims])

    def run(name: str) -> list[Any]:
        model = tiny()
        freeze(model, 1)
        seen = support.train(model, tokenizer, maker, questions, [JUDGED], written, asked, recipe, tmp_path / name)
        assert recipe.examples <= seen["examples"] < recipe.examples + recipe.batch
        return [p.detach().clone() for p in model.parameters()]

    whole, fresh = run("whole"), tiny()
    frozen = len(list(fresh.bert.embeddings.parameters()))
    same = [torch.equal(a, b) for a, b in zip(whole, fresh.parameters(), strict=True)]
    assert all(same[:frozen]), "what is frozen stays to the bit"
    assert not any(same[frozen:-1]), "the rest learns"
    calls: list[Any] = []
    original = support._bucket

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(support, "_bucket", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("stopped")
    assert all(torch.equal(a, b) for a, b in zip(whole, run("stopped"), strict=True))


def test_what_is_only_known_to_be_unsupported_may_be_either(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from training import support

    monkeypatch.setattr(support, "logits", lambda *_: torch.tensor([[0.0, 2.0, 2.0]]))
    loss = {
        label: float(support._loss(tiny(), [support.Encoded([1], [0], label)], torch.device("cpu"))) for label in Label
    }
    assert loss[Label.UNSUPPORTED] < loss[Label.NOT_SUPPORTED] == loss[Label.CONTRADICTED] < loss[Label.SUPPORTED]


def test_a_true_claim_is_drawn_with_the_false_one_that_is_most_like_it() -> None:
    from training.support import Twins

    text = "Dredgers left on Monday. Pilots stayed until Friday."
    paragraph, first = Paragraph(text), Span(0, 24)
    other = Paragraph("The mill was sold.")
    claims = [
        Claimed("light", paragraph, first, "The dredgers went away on Monday.", Label.SUPPORTED),
        Claimed("value", paragraph, first, "The dredgers went away on Friday.", Label.CONTRADICTED),
        Claimed("free", paragraph, first, "Nothing that digs has ever moved.", Label.CONTRADICTED),
        Claimed("value", paragraph, Span(25, 52), "Pilots went away on Monday.", Label.CONTRADICTED),
        Claimed("light", other, Span(0, 18), "Somebody bought the mill.", Label.SUPPORTED),
    ]
    drawn = [Twins(claims).draw(random.Random(seed)) for seed in range(300)]
    twins = [pairs for pairs in drawn if len(pairs) == 2]
    assert all(true.evidence == false.evidence for true, false in twins)
    assert {(true.claim, false.claim) for true, false in twins} == {
        (claims[0].claim, claims[1].claim),
        (claims[0].claim, claims[2].claim),
    }
    alone = {(pair.claim, pair.label) for pairs in drawn if len(pairs) == 1 for pair in pairs}
    assert (claims[3].claim, Label.CONTRADICTED) in alone
    assert (claims[4].claim, Label.NOT_SUPPORTED) in alone, "with evidence of another passage's"


def test_twins_cost_less_when_the_true_one_is_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from training import support

    monkeypatch.setattr(support, "logits", lambda *_: torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]))
    true, false = support.Encoded([1], [0], Label.SUPPORTED), support.Encoded([1], [0], Label.NOT_SUPPORTED)
    apart = float(support._loss(tiny(), [true, false], torch.device("cpu")))
    level = float(support._loss(tiny(), [replace(true, contrast=True), false], torch.device("cpu")))
    assert level - apart == pytest.approx(math.log(2) / 2)
    monkeypatch.setattr(support, "logits", lambda *_: torch.tensor([[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]]))
    ahead = float(support._loss(tiny(), [replace(true, contrast=True), false], torch.device("cpu")))
    assert ahead < 0.01


def test_the_checkpoint_is_a_cross_encoder_and_the_export_says_the_same(tmp_path: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    model = tiny().eval()
    with torch.no_grad():
        for parameter in model.parameters():  # fresh ones are alike, and the exporter writes what is alike once
            parameter += 0.05 * torch.randn_like(parameter)
    model.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((trunk_folder() / name).read_bytes())
    export(model, tmp_path / "model.onnx")
    pair = ("The ferry to Rye Island closed in 1990.", "The ferry closed in 1990.")
    scores = CrossEncoder(str(tmp_path), device="cpu").predict([pair], apply_softmax=True)[0]
    verdict = SupportModel(tmp_path, threads=1)(*pair)
    found = [verdict.supported, verdict.not_supported, verdict.contradicted]
    assert sum(found) == pytest.approx(1)
    assert found == pytest.approx([float(score) for score in scores], abs=0.05)  # int8 against float32


def test_an_average_of_classifiers_lies_between_them(tmp_path: Path) -> None:
    import torch

    model = tiny()
    model.save_pretrained(tmp_path / "one")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1
    model.save_pretrained(tmp_path / "other")
    mean = average([tmp_path / "one", tmp_path / "other"]).state_dict()
    for name, value in tiny().named_parameters():
        assert torch.allclose(mean[name], value + 0.5)


def test_what_is_held_out_is_whole_documents_and_can_be_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [
        {"source": "fm2", "evidence": f"Boat {i} was built in {1900 + i}.", "claim": claim, "supported": supported}
        for i in range(60)
        for claim, supported in ((f"Boat {i} is from Rye.", True), (f"Boat {i} was never built.", False))
    ]
    given, kept = tmp_path / "pairs.jsonl", tmp_path / "out" / "held-out.jsonl"
    given.write_text("".join(f"{json.dumps(pair)}\n" for pair in pairs))
    monkeypatch.setattr("sys.argv", ["held_out_pairs.py", str(given), "--output", str(kept)])
    runpy.run_path(str(ROOT / "scripts" / "held_out_pairs.py"), run_name="__main__")
    rows, _ = load_pairs(kept)
    evidence = {row.evidence for row in rows}
    assert 0 < len(evidence) < 60
    assert len(rows) == 2 * len(evidence), "both claims of a document stay together"
    assert {part_of(row) for row in load_grounding(given) if row.evidence in evidence} == {"test"}
