"""Check a published dataset, ours or another's, against the rules (docs/rules.md).

- `verify`: rebuild every row from its own log and compare it with the published one.
- `claims`: compare the row counts that a card states with the shards.
- `reference_rules`: render the way the public reference does, to explain rows that differ from ours.

May import `hub`, `reports`, `loaders`, `dataset` and everything below, but not `dagster`.
"""
