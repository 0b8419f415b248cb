"""The reader: which words of a passage answer, and how much better than none."""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from index.onnx import onnx_session
from index.types import Span

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

_NUMBER = re.compile(r"\d+(?:[.,]\d+)+")
MODEL_DIR = Path(__file__).parent / "models" / "reader"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible answer: a span of the passage's text and its score, in logits against "no answer here"."""

    span: Span
    score: float


class Reader(Protocol):
    """A model that finds answers in passages."""

    @property
    def name(self) -> str:
        """The model's name."""

    def read(self, question: str, passages: Sequence[str], top: int = 3) -> list[list[Candidate]]:
        """For each passage its `top` best spans, best first; none when it has no word."""


class OnnxReader:
    """A BERT question-answering network through ONNX Runtime.

    A span's score is start + end - (start + end at [CLS]), the usual SQuAD 2.0 score. One window a run: int8
    activations are scaled per tensor, so a row's logits would change with what else is in a batch.
    """

    name = "minilm-l6-squad-int8"
    window = 384  # word pieces of question and passage together
    stride = 128  # word pieces that neighbouring windows share
    max_question = 96  # word pieces of the question that are read
    max_answer = 30  # word pieces of an answer, as in the SQuAD evaluation of BERT

    def __init__(self, folder: Path = MODEL_DIR, threads: int = 0) -> None:
        self._folder = folder
        self._threads = threads
        self._load_lock = threading.Lock()

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def _session(self) -> InferenceSession:
        return onnx_session(self._folder / "model.onnx", self._threads)

    def read(self, question: str, passages: Sequence[str], top: int = 3) -> list[list[Candidate]]:
        """For each passage its best spans, in code points of that passage."""
        with self._load_lock:
            tokenizer, session = self._tokenizer, self._session
        question_ids = tokenizer.encode(question, add_special_tokens=False).ids[: self.max_question]
        return [self._read_one(tokenizer, session, question_ids, passage, top) for passage in passages]

    def _read_one(
        self, tokenizer: Tokenizer, session: InferenceSession, question_ids: list[int], passage: str, top: int
    ) -> list[Candidate]:
        encoding = tokenizer.encode(passage, add_special_tokens=False)
        cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
        head = [cls, *question_ids, sep]
        room = self.window - len(head) - 1
        best: dict[Span, float] = {}
        for first in range(0, max(1, len(encoding.ids) - self.stride), room - self.stride):
            pieces = encoding.ids[first : first + room]
            if not pieces:
                return []
            ids = np.array([[*head, *pieces, sep]], np.int64)
            types = np.zeros_like(ids)
            types[0, len(head) :] = 1
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
            start, end = (np.asarray(row)[0] for row in session.run(["start_logits", "end_logits"], feed))
            null = float(start[0] + end[0])
            inside = slice(len(head), len(head) + len(pieces))  # never the question
            for i, j, score in _best_spans(start[inside], end[inside], self.max_answer, top):
                span = _whole_words(passage, encoding, first + i, first + j)
                best[span] = max(best.get(span, -math.inf), score - null)
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return [Candidate(span, score) for span, score in ranked[:top]]


def _best_spans(start: np.ndarray, end: np.ndarray, longest: int, top: int) -> list[tuple[int, int, float]]:
    """The `top` best (first token, last token, start + end), at most `longest` tokens; ties go to the earlier one."""
    ends = np.lib.stride_tricks.sliding_window_view(np.pad(end, (0, longest - 1), constant_values=-np.inf), longest)
    scores = (start[:, None] + ends).ravel()  # row: first token, column: how many tokens follow it
    order = np.argsort(-scores, kind="stable")[:top]
    return [
        (int(k // longest), int(k // longest + k % longest), float(scores[k])) for k in order if scores[k] > -np.inf
    ]


def _whole_words(text: str, encoding: Encoding, first: int, last: int) -> Span:
    """The code points from token `first` to token `last`, extended to whole words and whole numbers.

    The tokenizer takes "260,000" for three words and drops combining marks; neither may be cut in two.
    """
    words = encoding.word_ids
    while first > 0 and words[first - 1] == words[first]:
        first -= 1
    while last + 1 < len(words) and words[last + 1] == words[last]:
        last += 1
    start, end = encoding.offsets[first][0], encoding.offsets[last][1]
    for number in _NUMBER.finditer(text):
        if number.start() < start < number.end():
            start = number.start()
        if number.start() < end < number.end():
            end = number.end()
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return Span(start, end)
