"""From a conversation to the text for a model (rules R6 and R7, docs/rules.md).

- `base`: `Rendered`, the result of every renderer, and its builder.
- `markup`: the special tokens, and the search for literal markup.
- `qwen3`: the renderer for the Qwen3 chat template.
- `registry`: the chat templates that have a renderer.

May import `variants`, `rollouts` and the layers below it, but nothing else from `tokens`.
"""
