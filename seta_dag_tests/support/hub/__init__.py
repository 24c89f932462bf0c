"""A loopback Hugging Face Hub: the HTTP API of dataset repositories, as far as the real client uses it.

Git's semantics are kept (immutable commits, branches, tags, pull requests, the parent check), storage
is in memory plus one folder of LFS blobs, every request is logged, and faults come on demand. There is
no Xet: the fixture turns it off in the client.
"""

from seta_dag_tests.support.hub.server import serve
from seta_dag_tests.support.hub.state import TOKEN, Call, LoopbackHub

__all__ = ["TOKEN", "Call", "LoopbackHub", "serve"]
