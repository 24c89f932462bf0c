"""How work is run: spread over the cores, task by task, with memory bounded.

`workers` is the place of the executor seam, `stage` runs a stage so that a task that fails stops no other,
`memory` returns free memory to the system. Imports store and errors.
"""
