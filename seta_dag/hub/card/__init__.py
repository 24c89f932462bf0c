"""The dataset card, README.md: rendered from shards and ledger, and checked by reading it back.

`write` puts it next to the shards, `render`, `front_matter`, `template` and `card.md.jinja` make the text,
`prose` reads a person's own words, `parse` reads a card, `check` and `check_words` compare it with its
dataset. Imports dataset and everything below.
"""
