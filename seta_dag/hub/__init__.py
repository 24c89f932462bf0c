"""Publishing: cards, checks before a publish, and the upload to the Hugging Face Hub.

- `card/`: render `README.md` from the shards, and check a card against its dataset.
- `secret_scan/`: find secrets in the text of the rows.
- `preflight`: everything that is checked before a publish.
- `local_files`, `plan`, `publish`, `tags`: the files on disk, the changes against the Hub, the commit
  and its tag.
- `client`: where a dataset is published, retries, and the client's errors as one sentence.
- `loaders`, `batches`: aliases of `seta_dag.loaders`, for published cards and older training code.

May import `reports`, `loaders`, `dataset` and everything below, but not `dagster`.
"""
