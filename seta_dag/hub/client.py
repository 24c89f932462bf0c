"""Talking to the Hub: one client, bounded retries, and every failure as one sentence."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from seta_dag.errors import ConfigError, PublishError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")  # a ref that git takes, no more

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the attempts of one request; after the last attempt the failure is final."""

_PASSING = frozenset({408, 409, 412, 429, 500, 502, 503, 504})
"""Answers that another attempt can change: an overloaded hub, a lost answer, a head that has moved."""


@dataclass(frozen=True)
class Target:
    """Where a dataset is published: `repo_id` is `ORG/NAME`.

    `tag` names the published content; `auto` gives a name made from it. `endpoint` is the Hub's address,
    by default HF_ENDPOINT's or the public Hub.
    """

    repo_id: str
    private: bool = False
    pull_request: bool = False
    tag: str | None = None
    endpoint: str | None = None

    def __post_init__(self) -> None:
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils._validators import validate_repo_id

        try:
            validate_repo_id(self.repo_id)
        except HFValidationError as error:
            raise ConfigError(f"{self.repo_id!r} is no Hub id: {_line(error)}") from error
        if "/" not in self.repo_id:
            raise ConfigError(f"{self.repo_id!r} is no Hub id: name the organisation or user too, ORG/NAME")
        if self.tag and not _TAG.fullmatch(self.tag):
            raise ConfigError(f"tag {self.tag!r}: write letters, digits and . _ - only, or auto")
        if self.tag and self.pull_request:
            raise ConfigError("a pull request is not tagged: tag the dataset after it is merged")

    @cached_property
    def api(self) -> HfApi:
        """The client; its token is HF_TOKEN or its own login, and stays inside it."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint, library_name="seta-dag")

    @property
    def url(self) -> str:
        """The repository's page."""
        return f"{self.api.endpoint}/datasets/{self.repo_id}"


def patiently(attempt: Callable[[], T]) -> T:
    """What `attempt` returns; made again, a few times, after a failure that can pass.

    For requests that the client does not itself repeat; for tree, preupload and uploads it does.
    """
    for pause in PAUSES:
        try:
            return attempt()
        except Exception as error:
            if not is_passing(error):
                raise
        time.sleep(pause)
    return attempt()


def is_passing(error: Exception) -> bool:
    """Whether another attempt can end otherwise: no answer came, or one of `_PASSING`."""
    from httpx2 import TransportError

    return isinstance(error, TransportError) or status_of(error) in _PASSING


def status_of(error: Exception) -> int | None:
    """The HTTP status of a refused request; None where the failure is of another kind."""
    status: int | None = getattr(getattr(error, "response", None), "status_code", None)
    return status


@contextmanager
def one_sentence(target: Target, outcome: str = "was not published") -> Iterator[None]:
    """Turns whatever the client raises into a `PublishError` that says what to do."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import LocalTokenNotFoundError, OfflineModeIsEnabled

    try:
        yield
    except PublishError:
        raise
    except OfflineModeIsEnabled as error:
        raise PublishError(f"{target.repo_id} {outcome}: HF_HUB_OFFLINE is set; unset it") from error
    except LocalTokenNotFoundError as error:
        raise PublishError(
            f"{target.repo_id} {outcome}: no token; set HF_TOKEN or run `hf auth login`"
        ) from error
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        raise PublishError(f"{target.repo_id} {outcome}: {_reason(error, target)}") from error


def _reason(error: Exception, target: Target) -> str:
    status, hub = status_of(error), target.api.endpoint
    namespace = target.repo_id.partition("/")[0]
    if "xet" in str(error).lower():
        return f"{hub} has no Xet storage or it failed; set HF_HUB_DISABLE_XET=1 and publish again"
    if status is None and is_passing(error):
        return f"no connection to {hub} ({type(error).__name__}); check the network and HF_ENDPOINT"
    if status == HTTPStatus.UNAUTHORIZED:
        return f"{hub} refused the token; check HF_TOKEN or run `hf auth login`"
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return f"{namespace} does not exist on {hub}, or this token may not write there"
    if status == HTTPStatus.PRECONDITION_FAILED:
        return "others kept committing to it; publish again when they are done"
    if status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{hub} answered {status} each time it was asked; publish again later"
    return _line(error)


def _line(error: Exception) -> str:
    """The error's text on one line, cut to what a person reads."""
    text = " ".join(str(getattr(error, "server_message", None) or error).split())
    return text[:300] or type(error).__name__
