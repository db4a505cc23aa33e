"""What can be trained: ``static`` (token embeddings and a head) and ``encoder`` (MiniLM class).

Nothing heavy is imported here: torch and transformers load when a model is trained.
"""
