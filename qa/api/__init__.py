"""The HTTP side: the JSON API under `/v1`, and the pages to ask and to read on."""

from qa.api.app import create_app

__all__ = ["create_app"]
