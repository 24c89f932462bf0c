"""A loopback Hugging Face Hub: the part of the HTTP API of dataset repositories that the client uses.

It follows git (immutable commits, branches, tags, pull requests, the check of the parent commit). Commits
are stored in memory, LFS blobs in a folder. Every request is recorded, and tests can inject faults. There
is no Xet storage; the fixture turns it off in the client.

- `server`: the routes, and the server on a loopback port.
- `reads`, `writes`: the endpoints.
- `repository`: commits, trees, branches and tags.
- `state`: the Hub with its repositories, recorded calls and faults.
- `dataset`: small datasets to publish and load.
"""

from seta_dag_tests.support.hub.server import serve
from seta_dag_tests.support.hub.state import TOKEN, Call, LoopbackHub

__all__ = ["TOKEN", "Call", "LoopbackHub", "serve"]
