"""Carries a file out in DNS names: dnsout.py RESOLVER DOMAIN QUERIES GAP CODING(hex, base32) TYPE(1, 16)"""
import base64
import os
import socket
import struct
import sys
import time

resolver, domain, number, gap, coding, kind = sys.argv[1:7]
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.settimeout(0.3)
for n in range(int(number)):
    piece = os.urandom(24)
    word = piece.hex() if coding == "hex" else base64.b32encode(piece).decode().strip("=").lower()
    labels = [f"{n:04x}", word, *domain.split(".")]
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    link.sendto(struct.pack(">HHHHHH", os.getpid() + n & 0xFFFF, 0x100, 1, 0, 0, 0) + name + struct.pack(">HH", int(kind), 1), (resolver, 53))
    try:
        link.recvfrom(600)
    except OSError:
        pass
    time.sleep(float(gap))
