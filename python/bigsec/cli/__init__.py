"""The command line: one file a command group, and no logic of its own.

Data goes to stdout, talk to stderr; a terminal gets tables, a pipe NDJSON. `app` is the list of
commands, `exits` the list of exit codes, `texts/` what people read.
"""
