"""The Dagster instance: how it is opened, what it shows, and its event log.

- `open`: the instance that the `dagster` command would use here.
- `mirror`: reports to the instance what the files under the output directory say.
- `event_log`: chooses between the batched event log and Dagster's own; `dagster.yaml` names it.
- `batched_event_log`: stores many events in one transaction.

May import `defs/partitions.py`, `store` and `errors`. Private names of Dagster (`dagster._*`) are imported
only here, and every import says why.
"""
