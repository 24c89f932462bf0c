"""From built tasks to the ledger and the shards (rules R10 to R12, docs/rules.md).

- `schema`: columns of a row.
- `filters`: optional filters, which leave out rows.
- `ledger`: one line per trial, whatever became of it.
- `shards`: the Parquet files of a dataset, written and read.
- `checks`: the written shards and the ledger compared with each other and with the disk.
- `stats`: counts of a dataset, for its card.
- `up_to_date`: whether a build has anything to do.

Imports tokens, rollouts, executor, store and errors.
"""
