"""1. What the agent left on disk: runs, trials, reports, conversations (rules R1 to R5)."""
