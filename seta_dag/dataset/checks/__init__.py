"""Checks of a finished build, all on what was read back from the disk (rule R11, docs/rules.md).

`rows` compares the shards with the schema and the ledger, `proofs` with the rows that were proved, and
`recount` compares the ledger with the rollouts directory, `reasoning` looks for reasoning that was lost.
Imports dataset.shards, dataset.ledger, dataset.schema and everything below dataset.
"""
