"""Load published datasets into trainers.

- `areal`: `get_seta_sft_dataset`, with the signature of the reference's loader for AReaL.
- `labels`: the same rows with `labels`, for TRL and plain PyTorch.
- `exports`: export a dataset as JSON lines.
- `columns`: find a dataset on disk or on the Hub, and read its token columns.

May import `dataset` and everything below, but not `reports`.
"""
