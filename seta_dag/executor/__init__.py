"""How work is done: by pieces of tasks, in this process, on all cores, or on a cluster.

- `workers`: the seam; `completed`: how items are sent, tried again and cancelled.
- `in_process`, `process_pool` (with `fork_server`) and `dask_cluster`: the three kinds of workers.
- `warm_up`: what a worker loads first; `memory`: return free memory to the system.
- `pieces`: cut tasks into pieces; `piece`: what a worker is sent, and returns.
- `stage`: run a stage over pieces; `stage_table`: what it has built.

Imports store and errors.
"""
