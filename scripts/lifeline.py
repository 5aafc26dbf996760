"""Run a module that ends with its supervisor, however that ends: python -m scripts.lifeline MODULE ARGUMENT…

The supervisor holds the writing end of a pipe and never writes. When it is gone, even by kill -9, reading ends, and
so does this process. Without it a killed supervisor would leave servers behind that keep their ports.
"""

import os
import runpy
import signal
import sys
import threading
import time

VARIABLE = "LIFELINE"  # the number of the pipe's reading end
PATIENCE = 5  # seconds for an orderly end


def end_with(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGINT)  # to gunicorn: end at once
    time.sleep(PATIENCE)
    os._exit(1)


def main() -> None:
    lifeline = int(os.environ.pop(VARIABLE))
    threading.Thread(target=end_with, args=[lifeline], daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
