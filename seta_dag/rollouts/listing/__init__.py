"""What is below the rollouts root: runs, trials and failed rollouts (rule R1).

- `folders`: list directories without missing one, and find the runs among them.
- `trials`: runs and trials with what their names say.
- `failed_rollouts`: tracebacks of rollouts that left no trial directory.
- `run_settings`: settings from the configuration files of runs, for the card.

May import `rollouts.json_reader` and `errors`, but no other part of `rollouts`.
"""
