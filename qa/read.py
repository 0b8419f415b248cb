"""The reader: which words of a passage answer, and how much better than none."""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from index.onnx import onnx_session
from index.types import Span
from qa.errors import SettingsError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_WHOLE = re.compile(r"\d+(?:[.,]\d+)+|(?:https?://|www\.)\S*[^\s.,;:!?)\]}\"'’”»]")
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


Logits = tuple[np.ndarray, np.ndarray]
Network = Callable[["Encoding"], Logits]
"""Start and end logits, float (length,) each, of one encoded pair of question and passage."""


class SpanReader:
    """Reads with a question-answering network: one logit a word piece for being an answer's first, and its last.

    A span's score is start + end - (start + end at the first piece, [CLS]), the usual SQuAD 2.0 score. One window a
    run: int8 activations are scaled per tensor, so a row's logits would change with what else is in a batch.
    """

    window = 384  # word pieces of question and passage together
    stride = 128  # word pieces that neighbouring windows share
    max_question = 96  # word pieces of the question that are read
    max_answer = 30  # word pieces of an answer, as in the SQuAD evaluation of BERT

    def __init__(self, name: str, load: Callable[[], tuple[Tokenizer, Network]]) -> None:
        """`load` gives the tokenizer, which must neither pad nor truncate, and the network; it is called once."""
        self.name = name
        self._load = load
        self._load_lock = threading.Lock()

    @cached_property
    def _loaded(self) -> tuple[Tokenizer, Network]:
        return self._load()

    def read(self, question: str, passages: Sequence[str], top: int = 3) -> list[list[Candidate]]:
        """For each passage its best spans, in code points of that passage."""
        with self._load_lock:
            tokenizer, network = self._loaded
        asked = tokenizer.encode(question, add_special_tokens=False)
        asked.truncate(self.max_question)
        return [self._read_one(tokenizer, network, asked, passage, top) for passage in passages]

    def _read_one(
        self, tokenizer: Tokenizer, network: Network, asked: Encoding, passage: str, top: int
    ) -> list[Candidate]:
        pieces = tokenizer.encode(passage, add_special_tokens=False)
        if not pieces.ids:
            return []
        pieces.truncate(self.window - len(asked.ids) - tokenizer.num_special_tokens_to_add(is_pair=True), self.stride)
        best: dict[Span, float] = {}
        for window in (pieces, *pieces.overflowing):
            pair = tokenizer.post_process(asked, window)
            start, end = network(pair)
            null = float(start[0] + end[0])
            first = pair.sequence_ids.index(1)  # never the question
            inside = slice(first, first + len(window.ids))
            for i, j, score in _best_spans(start[inside], end[inside], self.max_answer, top):
                span = _whole_words(passage, window, i, j)
                best[span] = max(best.get(span, -math.inf), score - null)
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return [Candidate(span, score) for span, score in ranked[:top]]


def onnx_reader(folder: Path = MODEL_DIR, threads: int = 0) -> SpanReader:
    """The reader of a folder with `model.onnx` and `tokenizer.json`, such as the shipped one; nothing is loaded yet."""

    def load() -> tuple[Tokenizer, Network]:
        from tokenizers import Tokenizer

        session = onnx_session(folder / "model.onnx", threads)
        wanted = {node.name for node in session.get_inputs()}

        def network(pair: Encoding) -> Logits:
            feed = {"input_ids": pair.ids, "attention_mask": [1] * len(pair.ids), "token_type_ids": pair.type_ids}
            arrays = {name: np.array([row], np.int64) for name, row in feed.items() if name in wanted}
            start, end = session.run(["start_logits", "end_logits"], arrays)
            return np.asarray(start)[0], np.asarray(end)[0]

        return untruncated(Tokenizer.from_file(str(folder / "tokenizer.json"))), network

    return SpanReader("minilm-l6-squad-int8" if folder == MODEL_DIR else folder.name, load)


def huggingface_reader(name: str, threads: int = 0) -> SpanReader:
    """Any question-answering checkpoint of Hugging Face, by name or folder, with a fast tokenizer.

    Nothing is loaded yet. Reading raises `SettingsError` for a checkpoint that cannot be loaded or that has no trained
    answer layer: its spans would be drawn at random.
    """

    def load() -> tuple[Tokenizer, Network]:
        import torch
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        if threads:
            torch.set_num_threads(threads)
        try:
            tokenizer = AutoTokenizer.from_pretrained(name)
            model, report = AutoModelForQuestionAnswering.from_pretrained(name, output_loading_info=True)
        except (OSError, ValueError) as error:
            help_text = "Name a folder or a checkpoint that transformers can load, or unset QA_READER."
            raise SettingsError(f"QA_READER={name} cannot be loaded: {error}", help=help_text) from error
        if report["missing_keys"]:
            help_text = "Name a checkpoint that was trained for question answering, such as on SQuAD 2.0."
            raise SettingsError(f"QA_READER={name} has no answer layer ({report['missing_keys']})", help=help_text)
        if not tokenizer.is_fast:
            raise SettingsError(f"QA_READER={name} has no fast tokenizer", help="Offsets need one: name another.")
        model.eval()
        typed = "token_type_ids" in tokenizer.model_input_names

        def network(pair: Encoding) -> Logits:
            feed = {"input_ids": torch.tensor([pair.ids])}
            feed["attention_mask"] = torch.ones_like(feed["input_ids"])
            if typed:
                feed["token_type_ids"] = torch.tensor([pair.type_ids])
            with torch.inference_mode():
                out = model(**feed)
            return out.start_logits[0].float().numpy(), out.end_logits[0].float().numpy()

        return untruncated(tokenizer.backend_tokenizer), network

    return SpanReader(Path(name).name, load)


def untruncated(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer, set to neither pad nor truncate."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _best_spans(start: np.ndarray, end: np.ndarray, longest: int, top: int) -> list[tuple[int, int, float]]:
    """The `top` best (first token, last token, start + end), at most `longest` tokens; ties go to the earlier one."""
    ends = np.lib.stride_tricks.sliding_window_view(np.pad(end, (0, longest - 1), constant_values=-np.inf), longest)
    scores = (start[:, None] + ends).ravel()  # row: first token, column: how many tokens follow it
    order = np.argsort(-scores, kind="stable")[:top]
    return [
        (int(k // longest), int(k // longest + k % longest), float(scores[k])) for k in order if scores[k] > -np.inf
    ]


def _whole_words(text: str, encoding: Encoding, first: int, last: int) -> Span:
    """The code points from token `first` to token `last`, extended to whole words, numbers and web addresses.

    The tokenizer takes "260,000" for three words and drops combining marks; neither may be cut in two. What closes a
    bracket that it did not open ends there: "critically tapered (all angles remain the same) wedge" has no answer with
    one end in the brackets and one outside.
    """
    words = encoding.word_ids
    while first > 0 and words[first - 1] == words[first]:
        first -= 1
    while last + 1 < len(words) and words[last + 1] == words[last]:
        last += 1
    start, end = encoding.offsets[first][0], encoding.offsets[last][1]
    for whole in _WHOLE.finditer(text):
        if whole.start() < start < whole.end():
            start = whole.start()
        if whole.start() < end < whole.end():
            end = whole.end()
    while end < len(text) and unicodedata.category(text[end])[0] == "M":
        end += 1
    return Span(start, _within_brackets(text, start, end))


def _within_brackets(text: str, start: int, end: int) -> int:
    """`end`, or where a bracket closes that was open before `start`."""
    depth = 0
    for at in range(start, end):
        depth += (text[at] in "([") - (text[at] in ")]")
        if depth < 0:
            inside = text[start:at].rstrip()
            return start + len(inside) if inside else end
    return end
