"""Waits until somebody listens: wait_for.py PORT PID. Fails when the process is gone, or after a
minute."""

import os
import socket
import sys
import time

port, pid = int(sys.argv[1]), int(sys.argv[2])
for _ in range(600):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        sys.exit(0)
    except OSError:
        os.kill(pid, 0)
        time.sleep(0.1)
sys.exit(1)
