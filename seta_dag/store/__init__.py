"""What is kept under the output directory, and how it is written. The files decide what is built.

`layout` names every path, `atomic` writes in one visible step, `table` keeps the state of a build,
`integrity` notices damage, `lock` lets one build write at a time; `arrow`, `columns` and `parquet` read and
write Arrow. Imports errors only.
"""
