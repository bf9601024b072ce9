"""Start TensorFlow without the lines that its C++ parts write to stderr as they start.

They speak of CPU instructions and missing GPU drivers, no setting of theirs takes all of them away,
and they come even where all is well. What was written before a failure is shown after all.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what this process writes to stderr; give it back if what is inside fails.

    To be called from the main thread, around imports and the first look at the devices only.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
