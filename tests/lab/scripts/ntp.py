"""Network time: ntp.py serve, or ntp.py ask HOST TIMES GAP. Nobody's clock is set."""
import socket
import struct
import sys
import time

SINCE_1900 = 2208988800


def stamp():
    whole, part = divmod(time.time() + SINCE_1900, 1)
    return struct.pack(">II", int(whole), int(part * 2**32))


link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "serve":
    link.bind(("0.0.0.0", 123))
    while True:
        asked, who = link.recvfrom(200)
        now = stamp()
        link.sendto(struct.pack(">BBBbIII", 0x24, 2, 6, -20, 0, 0, 0x7F000001) + now + asked[40:48] + now + stamp(), who)
link.settimeout(2)
link.bind(("0.0.0.0", 123))
for _ in range(int(sys.argv[3])):
    link.sendto(bytes([0x23, 0, 6, 0xEC]) + bytes(36) + stamp(), (sys.argv[2], 123))
    link.recvfrom(200)
    time.sleep(float(sys.argv[4]))
