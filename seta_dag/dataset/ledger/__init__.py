"""The ledger: one line per trial, whatever became of it (rule R11).

`line` is one line, `ledger` the file, `accounting` decides each line. Imports dataset.filters and everything
below dataset.
"""
