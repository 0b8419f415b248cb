"""The support model: does a text support a claim, does it contradict it, or neither?"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from index.onnx import onnx_session
from qa.read import MODEL_DIR as READER_DIR
from qa.read import untruncated
from qa.weigh import Weighing

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Encoding, Tokenizer

    from index.embed import Embedder

MODEL_DIR = Path(__file__).parent / "models" / "support"

WINDOW = 256
"""Word pieces of evidence and claim together, with the three special ones; the model was trained with as many."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Probabilities that sum to one. `contradicted` means that the evidence says otherwise (see the model's card)."""

    supported: float
    not_supported: float
    contradicted: float

    @property
    def odds(self) -> float:
        """Log-odds of support."""
        return math.log(max(self.supported, 1e-9) / max(1 - self.supported, 1e-9))


class Judge(Protocol):
    """Whatever says what a text says of a claim."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def weighing(self) -> Weighing:
        """What its word counts beside that of the exact checks."""

    def __call__(self, evidence: str, claim: str) -> Verdict:
        """What the evidence says of the claim."""


class SupportModel:
    """A cross-encoder with three classes, as int8 ONNX. Nothing is loaded before the first verdict.

    One pair a run: int8 activations are scaled per tensor, so a verdict would change with what else is in a batch.
    """

    def __init__(self, folder: Path = MODEL_DIR, threads: int = 0) -> None:
        """`folder` has `model.onnx`, and `calibration.json` once its logits have been made probabilities."""
        self._folder = folder
        self._threads = threads
        self._lock = threading.Lock()
        self.name = "minilm-l6-support-int8" if folder == MODEL_DIR else folder.name

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The word pieces of the reader, which has the same trunk."""
        from tokenizers import Tokenizer

        return untruncated(Tokenizer.from_file(str(READER_DIR / "tokenizer.json")))

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return onnx_session(self._folder / "model.onnx", self._threads)

    @cached_property
    def _fitted(self) -> dict[str, Any]:
        stored = self._folder / "calibration.json"
        return json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}

    @cached_property
    def weighing(self) -> Weighing:
        """As fitted for this model; of an uncalibrated one a guess."""
        return Weighing(**self._fitted.get("weighing", {}))

    def logits(self, evidence: str, claim: str) -> np.ndarray:
        """Logits (3,), float64: supported, not supported, contradicted.

        What does not fit the window is cut off the evidence's end.
        """
        with self._lock:
            session, tokenizer = self._session, self.tokenizer
        pair = encode(tokenizer, evidence, claim)
        feed = {"input_ids": pair.ids, "attention_mask": [1] * len(pair.ids), "token_type_ids": pair.type_ids}
        (found,) = session.run(["logits"], {name: np.array([row], np.int64) for name, row in feed.items()})
        return np.asarray(found[0], np.float64)

    def __call__(self, evidence: str, claim: str) -> Verdict:
        """What the evidence says of the claim."""
        logits = self.logits(evidence, claim)
        slope, intercept = self._fitted.get("slope", 1.0), self._fitted.get("intercept", 0.0)
        supported = 1 / (1 + np.exp(-(slope * log_odds(logits) + intercept)))  # Platt scaling
        contradicted = (1 - supported) * np.exp(logits[2] - np.logaddexp(logits[1], logits[2]))
        return Verdict(float(supported), float(1 - supported - contradicted), float(contradicted))


def answer_claim(question: str, answer: str) -> str:
    """An answer as a claim, as the model was trained on them: `When was it built? 1871.`."""
    question, answer = " ".join(question.split()), " ".join(answer.split()).rstrip(" .,;:")
    return f"{question if question[-1:] in '?.' else question + '?'} {answer}."


def log_odds(logits: np.ndarray) -> float:
    """Of support against the two other classes."""
    return float(logits[0] - np.logaddexp(logits[1], logits[2]))


def encode(tokenizer: Tokenizer, evidence: str, claim: str, window: int = WINDOW) -> Encoding:
    """Evidence and claim as one pair of at most `window` word pieces; the claim may have half of them."""
    said = tokenizer.encode(claim, add_special_tokens=False)
    said.truncate(window // 2)
    given = tokenizer.encode(evidence, add_special_tokens=False)
    given.truncate(window - len(said.ids) - tokenizer.num_special_tokens_to_add(is_pair=True))
    return tokenizer.post_process(given, said)


def narrowed(
    embedder: Embedder, tokenizer: Tokenizer, sentences: Sequence[str], claim: str, window: int = WINDOW
) -> list[int]:
    """The indices of the sentences that are most like the claim and fit the window with it, in their order.

    A sentence that is chosen brings the one before it where there is room, for its pronouns.
    """
    lengths = [len(tokenizer.encode(sentence, add_special_tokens=False).ids) for sentence in sentences]
    room = window - min(window // 2, len(tokenizer.encode(claim, add_special_tokens=False).ids)) - 3
    if sum(lengths) <= room:
        return list(range(len(sentences)))
    likeness = embedder.embed_documents(list(sentences)) @ embedder.embed_query(claim)
    chosen: set[int] = set()
    for i in np.argsort(-likeness, kind="stable"):
        for at in (int(i), int(i) - 1):
            if at >= 0 and at not in chosen and lengths[at] <= room:
                chosen.add(at)
                room -= lengths[at]
    return sorted(chosen or {int(likeness.argmax())})
