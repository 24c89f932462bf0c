"""Alias of `seta_dag.loaders.labels`, for training code written against version 0.1."""

from seta_dag.loaders.labels import IGNORED, collate, with_labels

__all__ = ["IGNORED", "collate", "with_labels"]
