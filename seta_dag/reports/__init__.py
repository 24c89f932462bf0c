"""What a person reads after a build: the summary, the ledger as a table, and single rows.

- `summary`: the counts that a build prints at its end.
- `ledger_table`: the ledger as a table for a terminal.
- `printable`: show any text of a rollout safely.
- `row/`: one row, token by token, in the terminal or as an HTML page.

May import `dataset`, `tokens` and everything below, but neither `loaders` nor `dagster`.
"""
