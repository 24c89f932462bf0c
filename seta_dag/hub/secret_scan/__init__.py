"""Secret scan: finds API keys and other secrets in the text of the rows before a publish.

`rules` are the patterns, most of them from detect-secrets; `scan` applies them to a dataset and reads and
writes the files of fingerprints. They need only `store` and `errors`.
"""
