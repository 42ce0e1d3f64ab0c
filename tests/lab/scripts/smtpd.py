"""Takes mail and throws it away; its only account is reader with the password right: smtpd.py PORT"""
import base64
import socketserver
import sys


class Mail(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def words(self, prompt):
        self.say("334 " + base64.b64encode(prompt.encode()).decode())
        return base64.b64decode(self.rfile.readline(2000).strip() or b"AA==")

    def auth(self, line):
        parts = line.split()
        if len(parts) > 1 and parts[1].upper() == "PLAIN":
            told = base64.b64decode(parts[2]) if len(parts) > 2 else self.words("")
            password = told.split(b"\0")[-1]
        else:
            if len(parts) < 3:
                self.words("Username:")
            password = self.words("Password:")
        good = password == b"right"
        self.say("235 2.7.0 Authentication successful" if good else "535 5.7.8 Authentication failed")

    def handle(self):
        self.say("220 mail.lab ESMTP")
        while line := self.rfile.readline(2000).decode("latin-1").strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                self.say("250-mail.lab")
                self.say("250-AUTH PLAIN LOGIN")
                self.say("250 8BITMIME")
            elif verb == "AUTH":
                self.auth(line)
            elif verb == "DATA":
                self.say("354 go on")
                while self.rfile.readline(10000).strip() != b".":
                    pass
                self.say("250 2.0.0 taken")
            elif verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            else:
                self.say("250 2.0.0 ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("0.0.0.0", int(sys.argv[1])), Mail).serve_forever()
