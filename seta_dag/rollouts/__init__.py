"""What the agents left on disk: runs, trials, test reports and conversations (rules R1 to R5).

- `listing`: find runs, trials and failed rollouts; read the settings of runs.
- `resume_chain`, `merge`: choose the canonical trials, and keep all runs as one table.
- `fingerprint`: tell which tasks have changed.
- `ctrf`, `parse_reports`: read test reports, for one trial and for the stage `ctrf`.
- `collect_trials`: record what a trial directory contains, for the stage `trials`.
- `sources`: choose the log of a trial and read its conversation.
- `conversation`, `json_reader`: the conversation as data, and JSON as the rules read it.

May import `executor`, `store` and `errors`. Never writes to the rollouts directory.
"""
