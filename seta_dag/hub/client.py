"""Access to the Hub: where to publish, retries, and every failure as one sentence.

`huggingface_hub` is imported inside functions: it takes long to load, and most commands never need it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from seta_dag.errors import ConfigError, PublishError, UnreachedError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")
# Stricter than git, so that a tag is refused here and not by the Hub after the upload.
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_MAX_LENGTH = 300
"""Characters of the Hub's own error text in a message; a proxy may answer with a page of HTML."""

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the attempts of one request. The failure of the last attempt is final."""

_TRANSIENT = frozenset({408, 409, 412, 429, 500, 502, 503, 504})
"""Statuses that a retry can change: an overloaded Hub, a lost answer, a branch that has moved (412)."""


@dataclass(frozen=True)
class Target:
    """The repository on the Hub that a dataset is published to.

    Attributes:
        repo_id: the Hub id, `ORG/NAME`.
        private: create the repository as a private one; an existing public one is refused.
        pull_request: open a pull request instead of committing to the main branch.
        tag: name of the tag to create, `auto` for one derived from the content, None or "" for no tag.
        endpoint: address of the Hub; None means HF_ENDPOINT or, if that is not set, the public Hub.

    Raises:
        ConfigError: if `repo_id` is not a Hub id, `tag` is not a valid tag name, or a pull request is to
            be tagged.
    """

    repo_id: str
    private: bool = False
    pull_request: bool = False
    tag: str | None = None
    endpoint: str | None = None

    def __post_init__(self) -> None:
        from huggingface_hub.errors import HFValidationError

        # Private path: type checkers do not see the name as exported by `huggingface_hub.utils`.
        from huggingface_hub.utils._validators import validate_repo_id

        try:
            validate_repo_id(self.repo_id)
        except HFValidationError as error:
            raise ConfigError(f"{self.repo_id!r} is not a Hub id: {_message(error)}") from error
        # The client accepts an id without a namespace, which only a few old repositories have.
        if "/" not in self.repo_id:
            raise ConfigError(f"{self.repo_id!r} is not a Hub id: write ORG/NAME or USER/NAME")
        if self.tag and not _TAG.fullmatch(self.tag):
            raise ConfigError(f"tag {self.tag!r}: use only letters, digits and . _ -, or write auto")
        # The commit of a pull request is not the one on main after it is merged.
        if self.tag and self.pull_request:
            raise ConfigError("a pull request cannot be tagged: tag the dataset after it is merged")

    @cached_property
    def api(self) -> HfApi:
        """The client. It reads the token itself: HF_TOKEN or that of `hf auth login`."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint, library_name="seta-dag")

    @property
    def url(self) -> str:
        """The repository's page on the Hub."""
        return f"{self.api.endpoint}/datasets/{self.repo_id}"


def with_retries(attempt: Callable[[], T]) -> T:
    """Call `attempt` until it succeeds, at most once more than there are `PAUSES`.

    Only transient failures are retried (see `is_transient`); any other exception is raised at once. Use
    it for requests that `huggingface_hub` does not retry. It does retry tree, preupload and uploads.
    """
    for pause in PAUSES:
        try:
            return attempt()
        except Exception as error:
            if not is_transient(error):
                raise
        time.sleep(pause)
    # The last attempt is outside the loop, so that its exception is raised unchanged.
    return attempt()


def is_transient(error: Exception) -> bool:
    """Return whether a retry may succeed: there was no answer, or a status such as 503."""
    from httpx2 import TransportError

    return isinstance(error, TransportError) or status_of(error) in _TRANSIENT


def status_of(error: Exception) -> int | None:
    """Return the HTTP status of a failed request, or None if the error has no response."""
    status: int | None = getattr(getattr(error, "response", None), "status_code", None)
    return status


@contextmanager
def publish_errors(target: Target, outcome: str = "was not published") -> Iterator[None]:
    """Turn the client's exceptions into a `PublishError` of one sentence that says what to do.

    `outcome` follows the repository's name in that sentence. The sentence never contains the token.
    """
    from httpx2 import HTTPError
    from huggingface_hub.errors import LocalTokenNotFoundError, OfflineModeIsEnabled

    try:
        yield
    except PublishError:  # raised by an inner block, which knew better what went wrong
        raise
    # These two are also OSErrors, so they have to come before it.
    except OfflineModeIsEnabled as error:
        raise PublishError(f"{target.repo_id} {outcome}: HF_HUB_OFFLINE is set; unset it") from error
    except LocalTokenNotFoundError as error:
        raise PublishError(
            f"{target.repo_id} {outcome}: no token; set HF_TOKEN or run `hf auth login`"
        ) from error
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        is_unreached = status_of(error) is None and is_transient(error)
        kind = UnreachedError if is_unreached else PublishError
        raise kind(f"{target.repo_id} {outcome}: {_reason(error, target)}") from error


def _reason(error: Exception, target: Target) -> str:
    status, hub = status_of(error), target.api.endpoint
    namespace = target.repo_id.partition("/")[0]
    # Before the statuses: a Hub without Xet answers 404, which would look like a missing repository.
    if "xet" in str(error).lower():
        return f"Xet storage failed or {hub} has none; set HF_HUB_DISABLE_XET=1 and publish again"
    if status is None and is_transient(error):
        return f"no connection to {hub}; check the network and HF_ENDPOINT"
    if status == HTTPStatus.UNAUTHORIZED:
        return f"{hub} refused the token; check HF_TOKEN or run `hf auth login`"
    # The Hub answers 404, too, when the token may not see a repository.
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return f"{namespace} does not exist on {hub}, or this token may not write there"
    if status == HTTPStatus.PRECONDITION_FAILED:
        return "someone else kept committing to it; publish again when they are done"
    if status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{hub} answered every attempt with status {status}; publish again later"
    return _message(error)


def _message(error: Exception) -> str:
    """Return the error's text on one line, shortened for a person to read."""
    text = " ".join(str(getattr(error, "server_message", None) or error).split())
    return text[:_MAX_LENGTH] or "no reason given"
