"""Alias of `seta_dag.loaders.areal`: published cards import `get_seta_sft_dataset` from here."""

from seta_dag.loaders.areal import get_seta_sft_dataset

__all__ = ["get_seta_sft_dataset"]
