"""Everything the question side can refuse to do. Each error says what to do next in `help`.

QAError
├── InvalidQuestion       empty, too long, or not text
├── InvalidText           nothing to check, too much of it, or not text
├── InvalidCitation       an id that this service did not make
├── SettingsError         an unknown or impossible setting
├── ConversationsOff      conversations are not kept here
├── ConversationMissing   unknown, deleted or expired
├── ConversationFull      no further turn is kept
├── RecordsUnavailable    the file of conversations and feedback cannot be used
├── ModelMissing          a model's package or file is not installed
└── LLMError              the language model failed; answers fall back to the verbatim sentence
    └── LLMTimeout        it did not finish within its budget
"""

from __future__ import annotations


class QAError(Exception):
    """Base of all errors of this package."""

    def __init__(self, message: str, *, help: str) -> None:
        super().__init__(message)
        self.help = help


class InvalidQuestion(QAError):
    """Not a question that can be asked."""


class InvalidText(QAError):
    """Not a text that can be checked."""


class InvalidCitation(QAError):
    """Not a citation id of this service."""


class SettingsError(QAError):
    """A setting that does not exist or cannot have this value."""


class ConversationsOff(QAError):
    """Conversations are not kept here."""


class ConversationMissing(QAError):
    """A conversation that is unknown, was deleted, or has expired."""


class ConversationFull(QAError):
    """A conversation that takes no further turn."""


class RecordsUnavailable(QAError):
    """The file of conversations and feedback cannot be read or written."""


class ModelMissing(QAError):
    """A model that the settings name is not installed."""


class LLMError(QAError):
    """The language model could not write."""


class LLMTimeout(LLMError):
    """The language model did not finish within its budget."""
