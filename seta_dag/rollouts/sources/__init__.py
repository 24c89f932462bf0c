"""How the logs of a trial become a conversation (rules R4 and R5).

- `log_files`: list the logs of a trial.
- `snapshot`: choose the log that holds the conversation.
- `refusals`: say why a log is not usable.
- `dialects`: read the conversation of a log, whatever the backend that wrote it.
- `usage`: token counts that the provider reported.

May import `rollouts.conversation` and `rollouts.json_reader`, but no other part of `rollouts`.
"""
