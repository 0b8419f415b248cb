"""The training loop: batches to a checkpoint that can be gone on with, on two CPU cores or a GPU."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from tqdm import tqdm

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SAVE_EVERY = 120
"""Seconds between checkpoints (270 MB each): what an interruption costs at most, and a bucket."""

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Recipe:
    """What a run is made of. Written beside the checkpoint, and a run goes on only with the recipe it began with."""

    examples: int
    mix: dict[str, float]
    init: str
    seed: int = 13
    batch: int = 16
    window: int = 256
    learning_rate: float = 1e-4
    warmup: int = 400  # steps
    weight_decay: float = 0.01
    clip: float = 1.0


def run(
    model: PreTrainedModel,
    recipe: Recipe,
    folder: Path,
    *,
    bucket: Callable[[int], list[Batch]],
    loss: Callable[[Batch, torch.device], torch.Tensor],
    rows: Callable[[Batch], int],
    minutes: float | None = None,
) -> dict[str, float]:
    """Train until all examples are seen or the time is over, whichever comes first; the learning rate ends at zero.

    `bucket` gives the batches of a number from 0 on, always the same ones, so that a run can go on anywhere; `rows`
    says how many examples a batch has. Without a limit of `minutes` the same seed gives the same weights on the same
    machine.
    A checkpoint is written every two minutes; the same call goes on from it. Returns examples, minutes, last loss.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(len(os.sched_getaffinity(0)))  # its default is one a physical core: half of a virtual machine
    folder.mkdir(parents=True, exist_ok=True)
    model.to(device).float().train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = (
                0.0  # one pass over varied examples does not overfit, and drawing masks takes a third of the time
            )
    # The weights are kept in float32 and used in bfloat16: a step of the learning rate is below bfloat16's resolution.
    names, masters = zip(*((n, p.detach().clone()) for n, p in model.named_parameters()), strict=True)
    decayed = [m for n, m in zip(names, masters, strict=True) if m.ndim > 1]
    others = [m for n, m in zip(names, masters, strict=True) if m.ndim == 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
    state = {"bucket": 0, "seen": 0, "seconds": 0.0, "loss": math.nan}
    saved = folder / "state.pt"
    if saved.exists():
        kept = torch.load(saved, map_location=device, weights_only=True)
        if kept["recipe"] != asdict(recipe):
            raise ValueError(f"{folder} holds a run with another recipe; name another folder, or delete it")
        for master, value in zip(masters, kept["masters"], strict=True):
            master.copy_(value)
        optimizer.load_state_dict(kept["optimizer"])
        state = kept["state"]
    model.bfloat16()
    weights = list(model.parameters())
    _copy(masters, weights)
    pairs = zip(masters, weights, strict=True)
    moved, moving = zip(*((m, w) for m, w in pairs if w.requires_grad), strict=True)  # the others are frozen

    def save() -> None:
        record = {
            "recipe": asdict(recipe),
            "masters": list(masters),
            "optimizer": optimizer.state_dict(),
            "state": state,
        }
        torch.save(record, saved.with_suffix(".new"))
        saved.with_suffix(".new").replace(saved)

    began, last_save = time.monotonic() - state["seconds"], time.monotonic()
    bar = tqdm(total=recipe.examples, initial=int(state["seen"]), unit="example", smoothing=0.02)
    with bar, (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        progress = 0.0
        while progress < 1:
            losses = []
            for batch in bucket(int(state["bucket"])):
                elapsed = time.monotonic() - began
                progress = max(state["seen"] / recipe.examples, elapsed / 60 / minutes if minutes else 0.0)
                if progress >= 1:
                    break
                warm = min(1.0, (state["seen"] / recipe.batch + 1) / recipe.warmup)
                for group in optimizer.param_groups:
                    group["lr"] = recipe.learning_rate * warm * (1 - progress)
                wrong = loss(batch, device)
                wrong.backward()
                for master, weight in zip(moved, moving, strict=True):
                    master.grad = None if weight.grad is None else weight.grad.float()
                    weight.grad = None
                torch.nn.utils.clip_grad_norm_(moved, recipe.clip)
                optimizer.step()
                _copy(moved, moving)
                losses.append(float(wrong.detach()))
                state["seen"] += rows(batch)
                bar.update(rows(batch))
            if losses:
                state["bucket"] += 1
                state["seconds"] = time.monotonic() - began
                state["loss"] = sum(losses) / len(losses)
                log.write(json.dumps({**state, "rate": optimizer.param_groups[0]["lr"]}) + "\n")
                log.flush()
                bar.set_postfix(loss=f"{state['loss']:.3f}")
            if time.monotonic() - last_save >= SAVE_EVERY:
                save()
                last_save = time.monotonic()
    save()
    model.float()
    _copy(masters, list(model.parameters()))
    return {"examples": state["seen"], "minutes": state["seconds"] / 60, "loss": state["loss"]}


def padded(ids: Sequence[list[int]], types: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Word pieces, attention mask and segments of a batch, int64 (rows, longest); zeros behind the shorter ones."""
    shape = len(ids), max(map(len, ids))
    pieces, mask, segments = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    for row, (own, typed) in enumerate(zip(ids, types, strict=True)):
        pieces[row, : len(own)] = torch.tensor(own)
        mask[row, : len(own)] = 1
        segments[row, : len(own)] = torch.tensor(typed)
    return pieces, mask, segments


def _copy(sources: Sequence[torch.Tensor], targets: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        torch._foreach_copy_(list(targets), list(sources))
