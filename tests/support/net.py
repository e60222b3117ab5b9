"""Ports and conditions: wait for what is true, never for a number of seconds."""

import socket
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, limit=20.0, pause=0.02):
    """Returns the first true value of condition(); fails with `what` after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s: {what}")
        time.sleep(pause)


def wait_port(port, host="127.0.0.1", limit=20.0):
    def answers():
        try:
            socket.create_connection((host, port), 1).close()
            return True
        except OSError:
            return False
    wait_until(answers, f"port {port} accepts", limit)
