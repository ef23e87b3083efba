"""Before an example's own modules on its path: what it does in place of work stands still while a file is there.

Else its few seconds could pass before a busy machine's browser has looked twice.
"""

import os
import sys
import time

_pause = time.sleep


def _held(seconds: float) -> None:
    _pause(seconds)
    if f"{os.sep}examples{os.sep}" in sys._getframe(1).f_code.co_filename:
        while os.path.exists(os.environ["HEADWAY_TEST_HELD"]):  # noqa: PTH110 - nothing more is imported here
            _pause(0.02)


time.sleep = _held
