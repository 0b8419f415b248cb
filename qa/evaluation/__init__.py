"""How good the answers are: metrics with their sources, and collections made from evaluation data."""
