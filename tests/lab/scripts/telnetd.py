"""Asks for name and password as a Telnet server does, and refuses all of them: telnetd.py PORT"""
import socketserver
import sys


class Login(socketserver.BaseRequestHandler):
    def line(self):
        """Waits for the end of a line, which clients write in four ways; tells whether one came."""
        while said := self.request.recv(500):
            if b"\r" in said or b"\n" in said:
                return True
        return False

    def handle(self):
        self.request.sendall(b"\xff\xfd\x18\xff\xfb\x01\r\ndevice login: ")
        for _ in range(3):
            if not self.line():
                return
            self.request.sendall(b"Password: ")
            if not self.line():
                return
            self.request.sendall(b"\r\nLogin incorrect\r\ndevice login: ")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("0.0.0.0", int(sys.argv[1])), Login).serve_forever()
