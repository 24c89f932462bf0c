"""Step 2: from a log to token ids and loss mask (R4 to R10, docs/rules.md).

- `tokenize_tasks`: run the stage `tokens`, task by task.
- `example`: build the row of one trial; `trial_row` is its result, `log_columns` its short columns.
- `task_file`: the Arrow file with the rows of one task; `outcomes` is what the journal keeps about it.
- `tokenizer` and `mask`: token ids and loss mask of a rendered conversation.
- `renderers/`, `student/`, `proofs/`: text, tokenizers, and checks of finished rows.
- `variants`: names of the two variants.

May import `rollouts`, `executor`, `store` and `errors`. Within the package, `proofs` may import
`tokenizer`, which may import `student`, which may import `renderers`.
"""
