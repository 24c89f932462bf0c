"""Optional filters: which rows a build leaves out of both variants, each with its own reason.

`base` says what a filter is, `reward`, `length` and `flags` are the built-in ones, `registry` lists them, and
`filters` holds the values of one build. Imports errors and rollouts.reasons only.
"""
