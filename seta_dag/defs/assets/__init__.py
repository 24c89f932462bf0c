"""The assets, one module per group, in the order of a rollout: rollouts, tokens, dataset, hub.

An asset reads its inputs, makes one call into the domain code, and returns with metadata. `task_stage` is
what the task-partitioned assets share.
"""
