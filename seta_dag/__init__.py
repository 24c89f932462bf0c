"""Agent rollouts in, token-exact SFT datasets out, as a Dagster asset graph."""

__version__ = "0.1.0"

RULES_VERSION = "1"
"""Version of the rules that turn a trial into rows; raising it rebuilds every task."""
