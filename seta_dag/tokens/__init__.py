"""Step 2: from a log to token ids and loss mask (R4 to R10, docs/rules.md).

- `tokenize_tasks`: run the stage `tokens`, piece by piece; `tokenize_piece`: what a worker does.
- `example`: build the row of one trial; `trial_row` is its result, `log_columns` its short columns.
- `piece_file`: the Arrow file with the rows of a piece; `outcomes` is what the table keeps about them.
- `row_settings`: how rows are made, as it is sent to a worker; `built`: which tasks are built.
- `tokenizer` and `mask`: token ids and loss mask of a rendered conversation.
- `renderers/`, `student/`, `proofs/`: text, tokenizers, and checks of finished rows.
- `variants`: names of the two variants.

May import `rollouts`, `executor`, `store` and `errors`. Within the package, `proofs` may import
`tokenizer`, which may import `student`, which may import `renderers`.
"""
