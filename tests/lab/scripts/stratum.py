"""Works for a mining pool, or is one: stratum.py serve PORT, or stratum.py mine HOST PORT SECONDS"""
import json
import os
import socket
import socketserver
import sys
import time


class Pool(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline(2000):
            asked = json.loads(line)
            self.wfile.write(json.dumps({"id": asked["id"], "result": True, "error": None}).encode() + b"\n")
            job = {"id": None, "method": "mining.notify", "params": [os.urandom(4).hex(), os.urandom(32).hex()]}
            self.wfile.write(json.dumps(job).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if sys.argv[1] == "serve":
    Server(("0.0.0.0", int(sys.argv[2])), Pool).serve_forever()
pool = socket.create_connection((sys.argv[2], int(sys.argv[3])), 5)
until = time.time() + float(sys.argv[4])


def ask(number, method, params):
    pool.sendall(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
    pool.recv(4000)


ask(1, "mining.subscribe", ["cpuminer/2.5.1"])
ask(2, "mining.authorize", ["worker.1", "x"])
number = 3
while time.time() < until:
    time.sleep(1.5)
    ask(number, "mining.submit", ["worker.1", os.urandom(4).hex(), os.urandom(4).hex()])
    number += 1
