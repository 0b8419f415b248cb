"""Training the reader: examples to batches, and what is wrong with the logits of one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from tqdm import tqdm

from training.corpus import Question
from training.examples import Example, Maker
from training.loop import Recipe, padded, run
from training.written import Asked, group

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

BUCKET = 1024
"""Questions whose examples are made, sorted by length and cut into batches together; a run goes on at such a bucket."""


@dataclass(frozen=True)
class ReaderRecipe(Recipe):
    """What a run of the reader's is made of."""

    contested: float = 0.0
    """Share of the questions that come with rivals: passages and near misses that should score less."""
    contest_weight: float = 0.5
    """Weight of the contests' loss beside that of the spans."""
    written: float = 0.0
    """Share of the groups that are of questions written for training, with their near misses."""
    teacher: str = ""
    taught: float = 0.5
    """Share of the loss that is the distance from the teacher, where there is one."""
    temperature: float = 2.0
    """What both networks' logits are divided by before they are compared: above 1, what comes second counts more."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Word pieces of one example, and the positions of the answer's first and last piece, or 0, 0 for none."""

    ids: list[int]
    question_length: int
    start: int
    end: int


def train(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    maker: Maker,
    questions: Sequence[Question],
    written: Sequence[Asked],
    recipe: ReaderRecipe,
    folder: Path,
    minutes: float | None = None,
    teacher: PreTrainedModel | None = None,
) -> dict[str, float]:
    """Train on examples made of `questions`, and on `written` ones (see `training.loop.run`).

    A `teacher` is a larger reader with the same word pieces; it is not trained.
    """
    if teacher is not None:
        teacher.to("cuda" if torch.cuda.is_available() else "cpu", torch.bfloat16).eval()
    return run(
        model,
        recipe,
        folder,
        bucket=lambda number: _bucket(tokenizer, maker, questions, written, recipe, number),
        loss=lambda batch, device: _loss(model, batch, recipe, device, teacher),
        rows=lambda batch: sum(map(len, batch)),
        minutes=minutes,
    )


def _bucket(
    tokenizer: Tokenizer,
    maker: Maker,
    questions: Sequence[Question],
    written: Sequence[Asked],
    recipe: ReaderRecipe,
    number: int,
) -> list[list[list[Encoded]]]:
    """The batches, each of groups of examples, of one bucket.

    They are made from the seed and its number alone, so that a run can go on anywhere.
    """
    rng = random.Random(f"{recipe.seed}/{number}")
    per_epoch = max(1, len(questions) // BUCKET)
    order = list(range(len(questions)))
    random.Random(f"{recipe.seed}/epoch {number // per_epoch}").shuffle(order)
    first = number % per_epoch * BUCKET
    chosen = [questions[i] for i in order[first : first + BUCKET]]
    made = list(maker.stream(rng, chosen, recipe.mix, recipe.contested))
    if written:
        wanted = int(len(made) * recipe.written / (1 - recipe.written))
        made += [group(rng, asked) for asked in rng.choices(written, k=wanted)]
    groups = [[encode(tokenizer, example, recipe.window) for example in examples] for examples in made]
    groups.sort(key=lambda examples: max(len(e.ids) for e in examples))
    batches: list[list[list[Encoded]]] = [[]]
    for examples in groups:
        if sum(map(len, batches[-1])) + len(examples) > recipe.batch:
            batches.append([])
        batches[-1].append(examples)
    rng.shuffle(batches)
    return batches


def encode(tokenizer: Tokenizer, example: Example, window: int) -> Encoded:
    """Word pieces of question and passage, at most `window`; a passage too long is cut around its answer."""
    question = tokenizer.encode(example.question, add_special_tokens=False).ids[:64]
    passage = tokenizer.encode(example.passage, add_special_tokens=False)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    head = [cls, *question, sep]
    room = window - len(head) - 1
    first = last = None
    if example.answer is not None:
        inside = [i for i, (a, b) in enumerate(passage.offsets) if a < example.answer.end and example.answer.start < b]
        first, last = (inside[0], inside[-1]) if inside else (None, None)
    begin = 0 if last is None or last < room else min(first or 0, max(0, last - room // 2))
    pieces = passage.ids[begin : begin + room]
    start = end = 0
    if first is not None and last is not None and last - begin < room:
        start, end = len(head) + first - begin, len(head) + last - begin
    return Encoded([*head, *pieces, sep], len(head), start, end)


def _loss(
    model: PreTrainedModel,
    groups: Sequence[Sequence[Encoded]],
    recipe: ReaderRecipe,
    device: torch.device,
    teacher: PreTrainedModel | None = None,
) -> torch.Tensor:
    """Mean cross-entropy of start and end among [CLS], which stands for no answer, and the passage's pieces.

    To this is added, for every group of several, the cross-entropy of its first example's score among all scores. The
    score is what asking compares passages by, with a sum over spans for their maximum: log-sum-exp of the start logits
    and of the end logits, less those at [CLS] (shared normalisation: Clark and Gardner 2018, arXiv 1710.10723).

    With a teacher, a share of the loss is how far all these distributions are from the teacher's (distillation: Hinton
    et al. 2015, arXiv 1503.02531).
    """
    batch = [example for examples in groups for example in examples]
    segments = [[int(at >= e.question_length) for at in range(len(e.ids))] for e in batch]
    ids, mask, types = padded([e.ids for e in batch], segments)
    allowed = types.bool()
    for row, e in enumerate(batch):
        allowed[row, len(e.ids) - 1] = False  # the last [SEP]
    allowed[:, 0] = True
    targets = torch.tensor([[e.start, e.end] for e in batch]).to(device)
    ids, mask, types, allowed = (t.to(device) for t in (ids, mask, types, allowed))
    ends = list(accumulate(map(len, groups)))
    contests = [slice(end - len(g), end) for g, end in zip(groups, ends, strict=True) if len(g) > 1]
    logits, scores = _read(model, ids, mask, types, allowed)
    loss = sum(torch.nn.functional.cross_entropy(x, targets[:, i]) for i, x in enumerate(logits)) / 2
    if contests:
        loss += recipe.contest_weight * torch.stack([-scores[c].log_softmax(0)[0] for c in contests]).mean()
    if teacher is None:
        return loss  # type: ignore[return-value]
    with torch.no_grad():
        taught, worth = _read(teacher, ids, mask, types, allowed)
    apart = sum(_apart(own, its, recipe.temperature) for own, its in zip(logits, taught, strict=True)) / 2
    if contests:
        ranked = [_apart(scores[None, c], worth[None, c], recipe.temperature) for c in contests]
        apart += recipe.contest_weight * torch.stack(ranked).mean()
    return (1 - recipe.taught) * loss + recipe.taught * apart  # type: ignore[return-value]


def _read(
    model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor, allowed: torch.Tensor
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Start and end logits (rows, length), with nothing where no answer may be, and each row's score."""
    out = model(input_ids=ids, attention_mask=mask, token_type_ids=types)  # an MPNet passes over the segments
    logits = [x.float().masked_fill(~allowed, -1e4) for x in (out.start_logits, out.end_logits)]
    return logits, logits[0][:, 1:].logsumexp(1) - logits[0][:, 0] + logits[1][:, 1:].logsumexp(1) - logits[1][:, 0]


def _apart(own: torch.Tensor, taught: torch.Tensor, temperature: float) -> torch.Tensor:
    """Kullback-Leibler divergence of the softmax of `own` (rows, n) from that of `taught`, mean over the rows.

    It is multiplied by the square of the temperature, which keeps its gradients' size (Hinton et al. 2015).
    """
    mine, its = ((x / temperature).log_softmax(1) for x in (own, taught))
    return torch.nn.functional.kl_div(mine, its, reduction="batchmean", log_target=True) * temperature**2


@torch.inference_mode()
def scores(
    model: PreTrainedModel, tokenizer: Tokenizer, examples: Sequence[Example], window: int = 256
) -> list[tuple[float, bool]]:
    """For each example the score of its best span against none, and whether that span overlaps the answer."""
    model.eval()
    device = next(model.parameters()).device
    found = []
    for example in tqdm(examples, desc="check", leave=False):
        e = encode(tokenizer, example, window)
        ids = torch.tensor([e.ids], device=device)
        types = torch.zeros_like(ids)
        types[0, e.question_length :] = 1
        out = model(input_ids=ids, attention_mask=torch.ones_like(ids), token_type_ids=types)
        start, end = out.start_logits[0].float().cpu().numpy(), out.end_logits[0].float().cpu().numpy()
        inside = slice(e.question_length, len(e.ids) - 1)
        total = start[inside, None] + end[None, inside]
        total[np.tril_indices(len(total), -1)] = -np.inf
        total[np.triu_indices(len(total), 30)] = -np.inf
        i, j = divmod(int(total.argmax()), len(total))
        overlaps = bool(e.start) and i + inside.start <= e.end and j + inside.start >= e.start
        found.append((float(total.max() - start[0] - end[0]), overlaps))
    model.train()
    return found
