"""Show one row of a built dataset, turn by turn and token by token.

- `inspection`: the row with its decoded ids; `find_row` finds it, `turn_spans` splits it into turns.
- `display_token`: one token with its position, its text and its kind.
- `facts`: the list of facts that both views show about the row.
- `page` (with `page.html.jinja` and `page.css`), `terminal`: the two views.
"""
