"""Dagster resource: where datasets are published."""

import os
from pathlib import Path

import dagster as dg
from pydantic import Field

from seta_dag.defs.resources import Project
from seta_dag.errors import ConfigError
from seta_dag.hub.card.prose import Prose, read_prose
from seta_dag.hub.client import Target
from seta_dag.hub.preflight import Preflight
from seta_dag.hub.publish import Published, publish
from seta_dag.tokens.variants import Variant


class HubSettings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where datasets are published. Without `repo` nothing is, and nothing leaves the machine."""

    repo: str = Field(default="", description="ORG/NAME-{variant}. Empty: SETA_HUB_REPO, else no publish.")
    private: bool = Field(default=False, description="Create the repositories as private ones.")
    pull_request: bool = Field(default=False, description="Open a pull request instead of a commit.")
    tag: str = Field(default="", description="Tag for the commit; auto: a name derived from the content.")
    allow_secrets: bool = Field(default=False, description="Publish although secrets were found.")
    allowed: str = Field(default="", description="File of fingerprints of secrets that may be published.")
    card: str = Field(
        default="",
        description="TOML file with your own words for the cards. Empty: SETA_CARD, else that of the last"
        " build.",
    )

    @property
    def pattern(self) -> str:
        """The Hub id with `{variant}` in it, or empty. Raises `ConfigError` if it has no `{variant}`."""
        pattern = self.repo or os.environ.get("SETA_HUB_REPO", "")
        if pattern and "{variant}" not in pattern:
            raise ConfigError(f"repo {pattern}: write {{variant}} where thinking or nothink should be")
        return pattern

    def publish(self, project: Project, variant: Variant) -> Published:
        """Publish one dataset once every check has passed. Raises `PublishError`."""
        self.preflight(project).require(variant)
        return publish(project.target.dataset(variant), self.target(variant))

    def preflight(self, project: Project) -> Preflight:
        """Return what is checked before a publish."""
        allowed = Path(self.allowed) if self.allowed else None
        return Preflight(project.target, project.root, project.glob, allowed, self.allow_secrets)

    def target(self, variant: Variant) -> Target:
        """Return where one variant is published. Raises `ConfigError` for an impossible Hub id."""
        repo = self.pattern.replace("{variant}", variant)
        return Target(repo, self.private, self.pull_request, self.tag or None)

    def prose(self, project: Project) -> Prose:
        """Return a person's own words for both cards."""
        return read_prose(project.resolve(card=self.card or None)[1].card)
