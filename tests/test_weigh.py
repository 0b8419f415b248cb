from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunk import split_sentences
from index.embed import MiniLM
from index.types import Passage
from qa.support import MODEL_DIR, SupportModel, Verdict
from qa.verify import Evidence
from qa.weigh import Seen, Weighing
from scripts.calibrate_support import fitted_weights
from tests.fakes import FakeJudge

EMBEDDER = MiniLM(threads=1)  # loaded when first used
KINDS = ("word", "meaning", "number", "name", "negation", "roles", "order", "modality")
FERRY = "The Byrne Line bought the ferry Marenka in 2014. Its captain treated two sailors because of smoke."
SHIPPED = SupportModel().weighing

seen = st.builds(
    Seen,
    together=st.floats(-20, 20),
    alone=st.floats(-20, 20),
    share=st.floats(0, 1),
    kinds=st.frozensets(st.sampled_from(KINDS)),
)


def evidence(text: str, judge: FakeJudge) -> Evidence:
    return Evidence.of(
        EMBEDDER, [Passage(1, "d", "v", "T", None, 0, len(text), text, (*split_sentences(text),))], judge
    )


@given(claim=seen, more=st.floats(0, 20))
def test_the_more_sure_the_model_the_likelier(claim: Seen, more: float) -> None:
    least = SHIPPED.probability(claim)
    assert 0 <= least <= SHIPPED.probability(replace(claim, together=claim.together + more)) <= 1
    assert least <= SHIPPED.probability(replace(claim, alone=claim.alone + more))


@given(claim=seen, kind=st.sampled_from(KINDS))
def test_a_reason_never_speaks_for_a_claim(claim: Seen, kind: str) -> None:
    assert SHIPPED.probability(replace(claim, kinds=claim.kinds | {kind})) <= SHIPPED.probability(claim)


def test_what_is_made_of_the_evidences_words_has_to_pass_the_checks() -> None:
    kept, free = Seen(1.0, 1.0, 1.0, frozenset({"negation"})), Seen(1.0, 1.0, 0.5, frozenset({"negation"}))
    assert (
        SHIPPED.probability(kept) < SHIPPED.probability(free) == SHIPPED.probability(replace(free, kinds=frozenset()))
    )
    turned = Seen(1.0, 1.0, 0.8, frozenset({"roles"}))
    assert SHIPPED.probability(turned) < SHIPPED.probability(replace(turned, kinds=frozenset()))


def test_the_weights_are_those_fitted_for_the_model(tmp_path: Path) -> None:
    fitted = json.loads((MODEL_DIR / "calibration.json").read_text(encoding="utf-8"))["weighing"]
    assert Weighing(**fitted) == SHIPPED
    assert SupportModel(tmp_path).weighing == Weighing()
    (tmp_path / "calibration.json").write_text('{"slope": 0.5, "intercept": 0}', encoding="utf-8")
    assert SupportModel(tmp_path).weighing == Weighing(), "as an earlier release wrote it"


def test_a_claim_that_the_checks_reject_has_a_score_and_its_reasons() -> None:
    found = evidence(FERRY, FakeJudge(0.9)).support("More than two sailors inhaled fumes on the Marenka.")
    assert [reason for reason in found.reasons if reason.startswith("qualifier")]
    assert found.score > 0.6


@pytest.mark.parametrize(
    "claim",
    ["The Byrne Line bought the ferry Marenka in 2015.", "The Hale Line bought the ferry Marenka in 2014."],
)
def test_what_no_sentence_has_no_model_adds(claim: str) -> None:
    found = evidence(FERRY, FakeJudge(1.0)).support(claim)
    assert found.score == 0
    assert found.reasons


def test_a_part_may_be_left_to_the_model_while_the_checks_vouch_for_the_other() -> None:
    claim = "The Byrne Line bought the ferry Marenka in 2014, and two sailors were tended by the captain."
    assert not evidence(FERRY, FakeJudge(0.2)).support(claim).supported
    found = evidence(FERRY, FakeJudge(0.95)).support(claim)
    assert found.supported
    assert len(found.sentences) == 2


def test_no_more_sentences_are_cited_than_have_a_word_to_give() -> None:
    text = f"The ferry Marenka is white. {FERRY} The weather in 2014 was calm."
    claim = "Two sailors perhaps inhaled smoke on the ferry Marenka, which the Byrne Line owned from 2014."
    found = evidence(text, FakeJudge(0.9)).support(claim)
    assert found.reasons
    assert [passage.slice(span) for passage, span in found.sentences] == [
        span.of(FERRY) for span in split_sentences(FERRY)
    ]


class ShortSighted(FakeJudge):
    """Sure of every short claim, and hardly of a long one."""

    def __call__(self, evidence: str, claim: str) -> Verdict:
        return Verdict(0.95, 0.05, 0.0) if len(claim.split()) < 9 else Verdict(0.55, 0.45, 0.0)


@pytest.mark.parametrize(("joint", "supported"), [(", and it", True), (", which", False)])
def test_a_relative_clause_is_no_part_that_a_model_may_vouch_for(joint: str, supported: bool) -> None:
    # What the clause says would be supported whatever stands before it.
    text = "The trial enrolled 90 adults in two towns. The doctor Ada Byrne analysed the results of the trial."
    claim = f"Ada Byrne abandoned the trial early{joint} enrolled 90 adults in two towns."
    assert evidence(text, ShortSighted(0.0)).support(claim).supported is supported


def test_the_weights_that_made_the_labels_are_found_again() -> None:
    rng = np.random.default_rng(3)
    features = np.hstack([rng.normal(size=(20_000, 2)), -rng.integers(0, 2, size=(20_000, 3)).astype(float)])
    chance = 1 / (1 + np.exp(-(features @ [1.5, 0.5, 1.0, 0.0, -0.5] + 0.2)))
    found = fitted_weights(features, rng.random(20_000) < chance)
    assert [found.together, found.alone, found.rejected] == pytest.approx([1.5, 0.5, 1.0], abs=0.15)
    assert found.negated == pytest.approx(0, abs=0.1)
    assert found.roles == 0, "what speaks for a claim by chance is no reason"
