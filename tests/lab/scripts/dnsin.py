"""Answers every DNS question with a text, or an address, as the far end of a tunnel does: dnsin.py ADDRESS"""
import socket
import struct
import sys

link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.bind((sys.argv[1], 53))
while True:
    asked, who = link.recvfrom(600)
    end = asked.index(b"\0", 12) + 5
    kind = struct.unpack(">H", asked[end - 4 : end - 2])[0]
    answer = b"\x0fack" + asked[2:14].hex()[:12].encode() if kind == 16 else bytes([10, 1, 2, 3])
    link.sendto(asked[:2] + b"\x85\x80\0\1\0\1\0\0\0\0" + asked[12:end] + b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(answer)) + answer, who)
