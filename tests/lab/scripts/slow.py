"""Holds web conversations open by a word now and then: slow.py HOST CONVERSATIONS GAP SECONDS"""
import socket
import sys
import time

host, number, gap, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
held = []
until = time.time() + seconds
for _ in range(number):
    one = socket.create_connection((host, 80), 3)
    one.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nUser-Agent: Mozilla/5.0\r\n")
    held.append(one)
    time.sleep(0.02)
while time.time() < until:
    for one in held:
        try:
            one.sendall(b"X-a: b\r\n")
        except OSError:
            pass
    time.sleep(gap)
