"""Delivers mail to one server after the other: spam.py FIRST LAST GAP"""
import smtplib
import sys
import time

for n in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
    with smtplib.SMTP(f"198.51.100.{n}", 25, timeout=3) as server:
        server.sendmail("a@one.lab", [f"b{n}@two.lab"], f"Subject: offer {n}\r\n\r\n" + "Buy now. " * 60)
    time.sleep(float(sys.argv[3]))
