"""All settings, read from the environment in this one place."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from qa.errors import SettingsError

PREFIX = "QA_"


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Origins as a browser sends them."""
    if value == ("*",):
        return value
    for origin in value:
        if origin == "*":
            raise ValueError("`*` lets every site in and stands alone")
        parts = urlsplit(origin)
        web = parts.scheme in ("http", "https") and parts.hostname and "@" not in origin
        bare = f"{parts.scheme}://{parts.netloc}".lower()
        if not web or origin.removesuffix("/").lower() != bare or "*" in origin or not origin.isascii():
            raise ValueError(
                f"{origin!r} is not an origin: write the scheme and host of a site and nothing behind, as in "
                "https://example.org, with its port if it has one, in ASCII"
            )
        _ = parts.port  # raises where it is no number
    return tuple(_without_default_port(origin.removesuffix("/").lower()) for origin in value)


def _without_default_port(origin: str) -> str:
    return origin.removesuffix(":443" if origin.startswith("https:") else ":80")


def _separated(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_separated), AfterValidator(_origins)]


class Settings(BaseSettings):
    """One frozen object. Every field `x` is set by the environment variable `QA_X`; unknown `QA_*` variables fail."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data_dir: Path = Field(
        Path(".qa"),
        description="Where collections are kept. Safe to delete: ingest makes it anew, all but kept conversations, "
        "feedback, and the calibration of a reader of another name.",
    )
    embedder: str = Field(
        "minilm",
        description="`minilm` is all-MiniLM-L6-v2 through ONNX. Anything else is the name or folder of a "
        "SentenceTransformer; `sentence-transformers/all-MiniLM-L6-v2` loads the installed weights, other names "
        "may download.",
    )
    reader: str = Field(
        "minilm",
        description="`minilm` is the one that comes with the service. Anything else is the folder or name of a "
        "question-answering checkpoint of Hugging Face, or a folder that `scripts/train_reader.py` made; a name may "
        "download.",
    )
    llm: str = Field(
        "bundled",
        description="`bundled` is SmolLM2-135M in process (as `none` where its package is not installed); it phrases "
        "what was found. `gguf:PATH`, `openai:MODEL` and `anthropic:MODEL` read and write by themselves. `none` "
        "answers with verbatim sentences only.",
    )
    llm_base_url: str | None = Field(
        None,
        description="Address of an OpenAI-compatible server for `openai:MODEL`, such as `http://localhost:11434/v1` "
        "(Ollama); unset, OpenAI's own.",
    )
    llm_api_key: SecretStr | None = Field(None, description="Key for that server; never printed.")
    llm_timeout: float = Field(
        20.0, gt=0, le=600, description="Seconds the LLM may take for one answer; what is verified by then stands."
    )
    llm_first_timeout: float = Field(
        8.0, gt=0, le=600, description="Seconds until it has begun to write; then the verbatim answer stands."
    )
    llm_max_tokens: int = Field(400, ge=16, le=8192, description="Tokens the LLM may write for one answer.")
    llm_parallel: int = Field(
        0, ge=0, le=64, description="Answers the LLM writes at once; 0 is 2 in process, 8 at an address."
    )
    queue: int = Field(
        32, ge=0, le=10_000, description="Questions that wait for their turn on the server; more get HTTP 429."
    )
    top_k: int = Field(8, ge=1, le=50, description="Passages to retrieve and read for a question.")
    candidates: int = Field(
        30, ge=1, le=1000, description="Passages each of the two searches contributes to the fusion."
    )
    answer_threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Answer only at or above this answerable probability. Unset: the threshold stored with the reader.",
    )
    support_threshold: float = Field(
        0.6, ge=0, le=1, description="Show a sentence written by an LLM only at or above this support score."
    )
    threads: int = Field(0, ge=0, le=256, description="Threads a model run may use; 0 is one a core, at most 4.")
    max_question_chars: int = Field(2000, ge=1, description="Longer questions are refused with an error.")
    max_document_mb: float = Field(
        20.0, gt=0, allow_inf_nan=False, description="Larger files are refused with an error, one file at a time."
    )
    allowed_origins: Origins = Field(
        (),
        description="Other sites whose pages may ask, as the widget does there: `https://example.org`, separated by "
        "commas; `*` is every site. Unset: only pages of this service.",
    )

    keep_conversations: float = Field(
        0,
        ge=0,
        le=3650,
        description="Days that a conversation is kept after its last turn, for those who ask for one to be kept "
        "(`POST /v1/conversations`); 0 keeps none.",
    )
    keep_refusals: bool = Field(
        False,
        description="Keep refused questions with their collection, time and nearest passages, for `qa feedback`.",
    )

    def thread_count(self) -> int:
        """Threads for one model run."""
        return self.threads or min(4, os.cpu_count() or 1)


def load_settings(**overrides: object) -> Settings:
    """The settings of this process: environment variables, then `overrides` (fields by name).

    Raises `SettingsError` for an unknown `QA_*` variable or a value that does not fit.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            close = difflib.get_close_matches(variable.upper(), known, n=1)
            raise SettingsError(
                f"unknown setting {variable}",
                help=f"Did you mean {close[0]}?" if close else "The README lists every setting.",
            )
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + ".".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(
            f"{name} cannot be {first.get('input')!r}: {first['msg']}", help="The README lists every setting."
        ) from error


def settings_table() -> str:
    """The Markdown table of all settings that the README carries."""
    rows = ["| variable | default | what it does |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, ()) else f"`{field.default}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)
