"""What goes into the kernel that pools, with nothing remembered from before."""

import contextlib
from unittest import mock

from ldn_meta.evidence.answer import pools
from ldn_meta.stats import pool as kernel


@contextlib.contextmanager
def pool_calls():
    """Every input of the kernel, in order."""
    pools._pool_once.cache_clear()
    pools._bayes_once.cache_clear()
    seen = []
    real = kernel._pool

    def spy(y, v, *settings):
        seen.append((y.shape, y.tobytes(), v.tobytes(), *map(str, settings)))
        return real(y, v, *settings)

    with mock.patch.object(kernel, "_pool", spy):
        yield seen
