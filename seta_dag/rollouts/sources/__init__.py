"""How the logs of a trial become a conversation (rules R4 and R5).

- `log_files`: list the logs of a trial.
- `snapshot`: choose the log that holds the conversation, starting from the `latest` one.
- `evidence`: what the other logs add: `borrowing` of reasoning, and whether they are beginnings of the chosen
  log, by their bytes (`cumulative`) or message by message (`sameness`).
- `refusals`: why a log is not usable. `held`: whether a message holds reasoning.
- `dialects`: read the conversation of a log of any client. Its steps are `final_turn`, `parts`, `reasoning`,
  `inline`, `calls` and `soundness`; the tables of keys and types are in `fields`, those of marks in `inline`.
- `notes`: collect flags, with the place where each arose.
- `usage`: token counts that the provider reported.

May import `rollouts.conversation` and `rollouts.json_reader`, but no other part of `rollouts`.
"""
