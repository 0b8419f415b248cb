"""Documents in, passages out: load, chunk, embed, store. Knows nothing of questions and answers."""
