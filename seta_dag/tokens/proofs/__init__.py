"""Checks of finished rows by a second, largely independent method (R8 and R9).

The rules are in docs/rules.md.

- `prover`: all proofs of a row.
- `masks`: masks computed a second way; `sample`: the sample for the reference engine.
- `turns`: the expected text of each assistant turn, written without the renderer.
- `load_ahead`: load the prover of a student in the background.
- `differences`: describe the first difference in one sentence.

May import `tokenizer`, `student`, `renderers` and the layers below `tokens`.
"""
