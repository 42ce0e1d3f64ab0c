"""Looks for its master under made-up names: names.py RESOLVER NUMBER GAP STYLE(hash, letters, words) TOP"""
import hashlib
import random
import socket
import struct
import sys
import time

resolver, number, gap, style, top = sys.argv[1:6]
chance = random.Random(style + top + number)
WORDS = "river stone cloud paper green light north house glass apple train metal".split()


def name(n):
    if style == "hash":
        return hashlib.md5(f"{n}{top}".encode()).hexdigest()[:16]
    if style == "letters":
        return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.randint(8, 18)))
    return chance.choice(WORDS) + chance.choice(WORDS) + str(chance.randint(0, 99))


link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.settimeout(1)
for n in range(int(number)):
    labels = [name(n), top]
    asked = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    link.sendto(struct.pack(">HHHHHH", n + 1, 0x100, 1, 0, 0, 0) + asked + struct.pack(">HH", 1, 1), (resolver, 53))
    try:
        link.recvfrom(600)
    except OSError:
        pass
    time.sleep(float(gap))
