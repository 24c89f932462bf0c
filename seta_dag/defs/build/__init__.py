"""A build from outside the UI: planned from the files, run as one Dagster run.

`plan` decides what is to be done, `build` and `publish` do it for the command line, `run` runs the job of
`job`, `failures` says what went wrong, `progress` how far it is.
"""
