"""The options of a build, in one place: what they are, where they come from, and what OUT keeps of them.

`build_options` is the typed value, `config_file` and `environment` read two of its sources, `stored` is
what an output directory keeps, `resolve` puts them in order. Imports dataset.filters, tokens.student, store.
"""
