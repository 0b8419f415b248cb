"""Questions in, cited answers out: retrieve, read, decide, compose, verify, cite."""

__version__ = "0.1.0"
