"""The Parquet shards of a dataset (rules R10 and R12, docs/rules.md).

`layout` names the shards and assigns rows to them, `source` reads the rows from the stage files, `writer`
writes the shards and `reader` reads them back. `arrow_size` computes the size that `datasets` reports.
Imports dataset.ledger, dataset.schema and everything below dataset.
"""
