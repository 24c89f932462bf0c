"""The Parquet shards of a dataset (rules R10 and R12, docs/rules.md).

`layout` names the shards and assigns rows to them, `source` knows in which file each row is, `shard_file`
writes one shard in a worker, `writer` puts the dataset together. `reader` reads a shard back, `known` those
that changed, and `facts` is what is known of one. `arrow_size` computes the size that `datasets` reports.
Imports dataset.ledger, dataset.schema and everything below dataset.
"""
