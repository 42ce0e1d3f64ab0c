"""Tries to connect to one TCP port after the other: connect.py HOST FIRST LAST GAP"""
import socket
import sys
import time

host, first, last, gap = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
for port in range(first, last + 1):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        probe.connect_ex((host, port))
    time.sleep(gap)
