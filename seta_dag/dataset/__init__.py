"""3. From rows to the ledger and the shards (rules R10 to R12)."""
