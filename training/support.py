"""Training the support model: pairs of evidence and claim to batches, and what is wrong with the logits of one."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch.nn.functional import softplus

from index.types import Span
from qa.support import encode
from training.claims import ClaimMaker, Label, Pair
from training.corpus import Question
from training.loop import Recipe, padded, run
from training.written import Claimed, misplaced_pair, written_pair

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import BertForSequenceClassification

Labelled = TypeVar("Labelled", Pair, Claimed)

BUCKET = 2048
"""Questions whose pairs are made, sorted by length and cut into batches together; a run goes on at such a bucket."""


@dataclass(frozen=True)
class SupportRecipe(Recipe):
    """What a run of the support model's is made of."""

    judged: float = 0.15
    """Share of the pairs that people wrote and judged."""
    written: float = 0.0
    """Share of the pairs whose claims were written for training."""
    asked: float = 0.0
    """Share of the pairs that are questions written for training, with an answer."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Word pieces of a pair, the segment of each, and the label."""

    ids: list[int]
    types: list[int]
    label: Label
    contrast: bool = False
    """Whether the next one of the batch is its twin: the same evidence, nearly the same words, and false."""


class Twins:
    """Written claims, each with the claim of the other label about the same span that shares most words with it."""

    def __init__(self, claims: Sequence[Claimed]) -> None:
        self._claims = claims
        about: dict[tuple[int, Span], list[Claimed]] = defaultdict(list)
        for claimed in claims:
            about[id(claimed.paragraph), claimed.evidence].append(claimed)
        self._about = about

    def draw(self, rng: random.Random) -> list[Pair]:
        """A true claim and its false twin with the same evidence, or one claim by itself.

        Of the draws that are false a third is a claim that is true of other evidence.
        """
        claimed, other = _drawn(rng, self._claims), _drawn(rng, self._claims)
        false = claimed.label != Label.SUPPORTED
        if false and other.label == Label.SUPPORTED and other.paragraph is not claimed.paragraph and rng.random() < 0.7:
            return [misplaced_pair(rng, other, claimed)]
        pair = written_pair(rng, claimed)
        twin = self._twin(claimed)
        if twin is None:
            return [pair]
        pairs = [pair, replace(pair, kind=f"written_{twin.kind}", claim=twin.claim, label=twin.label)]
        return pairs[::-1] if false else pairs

    def _twin(self, claimed: Claimed) -> Claimed | None:
        supported, words = claimed.label == Label.SUPPORTED, set(claimed.claim.casefold().split())
        others = self._about[id(claimed.paragraph), claimed.evidence]
        others = [other for other in others if (other.label == Label.SUPPORTED) != supported]
        return max(others, key=lambda other: len(words & set(other.claim.casefold().split())), default=None)


def train(
    model: BertForSequenceClassification,
    tokenizer: Tokenizer,
    maker: ClaimMaker,
    questions: Sequence[Question],
    judged: Sequence[Sequence[Pair]],
    written: Twins,
    asked: Twins,
    recipe: SupportRecipe,
    folder: Path,
    minutes: float | None = None,
) -> dict[str, float]:
    """Train on pairs made from `questions`, on `judged` ones, each list as often, on `written` claims and `asked` ones.

    See `training.loop.run`.
    """
    return run(
        model,
        recipe,
        folder,
        bucket=lambda number: _bucket(tokenizer, maker, questions, judged, written, asked, recipe, number),
        loss=lambda batch, device: _loss(model, batch, device),
        rows=len,
        minutes=minutes,
    )


def _bucket(
    tokenizer: Tokenizer,
    maker: ClaimMaker,
    questions: Sequence[Question],
    judged: Sequence[Sequence[Pair]],
    written: Twins,
    asked: Twins,
    recipe: SupportRecipe,
    number: int,
) -> list[list[Encoded]]:
    """The batches of one bucket, made from the seed and its number alone, so that a run can go on anywhere."""
    rng = random.Random(f"{recipe.seed}/{number}")
    per_epoch = max(1, len(questions) // BUCKET)
    order = list(range(len(questions)))
    random.Random(f"{recipe.seed}/epoch {number // per_epoch}").shuffle(order)
    first = number % per_epoch * BUCKET
    made = list(maker.stream(rng, [questions[i] for i in order[first : first + BUCKET]], recipe.mix))
    for_each = len(made) / (1 - recipe.judged - recipe.written - recipe.asked)

    def twins_of(twins: Twins, share: float) -> list[list[Pair]]:
        found: list[list[Pair]] = []
        left = int(for_each * share)
        while left > 0:
            found.append(twins.draw(rng))
            left -= len(found[-1])
        return found

    made += [_drawn(rng, rng.choice(judged)) for _ in range(int(for_each * recipe.judged))]
    units = [[pair] for pair in made] + twins_of(written, recipe.written) + twins_of(asked, recipe.asked)
    encoded = [_together(tokenizer, unit, recipe.window) for unit in units]
    encoded.sort(key=lambda unit: max(len(e.ids) for e in unit))
    batches: list[list[Encoded]] = [[]]
    for unit in encoded:
        if len(batches[-1]) + len(unit) > recipe.batch:
            batches.append([])
        batches[-1] += unit
    rng.shuffle(batches)
    return batches


def _drawn(rng: random.Random, labelled: Sequence[Labelled]) -> Labelled:
    """One of them, supported or not with the same chance."""
    wanted = rng.random() < 0.5
    while (item := rng.choice(labelled)) and (item.label == Label.SUPPORTED) != wanted:
        pass
    return item


def _together(tokenizer: Tokenizer, pairs: Sequence[Pair], window: int) -> list[Encoded]:
    found = [_encoded(tokenizer, pair, window) for pair in pairs]
    return [replace(found[0], contrast=True), *found[1:]] if len(found) == 2 else found


def _encoded(tokenizer: Tokenizer, pair: Pair, window: int) -> Encoded:
    found = encode(tokenizer, pair.evidence, pair.claim, window)
    return Encoded(found.ids, found.type_ids, pair.label)


def _loss(model: BertForSequenceClassification, batch: Sequence[Encoded], device: torch.device) -> torch.Tensor:
    """Mean cross-entropy, and that of telling twins apart: a true claim by its log-odds from its false twin.

    Where the label only says "unsupported", it is the cross-entropy of the sum of the two classes that may be meant.
    """
    logs = logits(model, batch, device).log_softmax(1)
    unsupported = logs[:, [Label.NOT_SUPPORTED, Label.CONTRADICTED]].logsumexp(1, keepdim=True)
    labels = torch.tensor([int(e.label) for e in batch], device=device)
    wrong = -torch.cat([logs, unsupported], 1).gather(1, labels[:, None]).sum()
    true = torch.tensor([i for i, e in enumerate(batch) if e.contrast], dtype=torch.long, device=device)
    odds = logs[:, Label.SUPPORTED] - unsupported[:, 0]
    return (wrong + softplus(odds[true + 1] - odds[true]).sum()) / len(batch)


def logits(model: BertForSequenceClassification, batch: Sequence[Encoded], device: torch.device) -> torch.Tensor:
    """Logits (batch, 3), float32."""
    ids, mask, types = (t.to(device) for t in padded([e.ids for e in batch], [e.types for e in batch]))
    return model(input_ids=ids, attention_mask=mask, token_type_ids=types).logits.float()


@torch.inference_mode()
def probabilities(
    model: BertForSequenceClassification, tokenizer: Tokenizer, pairs: Sequence[Pair], window: int = 256
) -> torch.Tensor:
    """Probabilities (n, 3) of supported, not supported, contradicted; one pair a run."""
    model.eval()
    device = next(model.parameters()).device
    found = [logits(model, [_encoded(tokenizer, pair, window)], device)[0].softmax(0).cpu() for pair in pairs]
    model.train()
    return torch.stack(found) if found else torch.zeros(0, 3)
