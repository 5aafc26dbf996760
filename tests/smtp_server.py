"""A mail server for the tests that really speaks SMTP (RFC 5321): it can be away, slow, and refuse."""

import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any


@dataclass
class MailServer:
    """A context. `refuse` is the answer to RCPT for an address, `drip` one byte a second instead of an answer."""

    refuse: dict[str, str] = field(default_factory=dict)
    after_data: str = "250 taken"
    greeting: str = "220 tests ready"
    drip: bool = False
    certificate: Path | None = None  # with its key; then it wants TLS
    tls_at_once: bool = False  # or only after STARTTLS
    taken: list[EmailMessage] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def __enter__(self) -> "MailServer":
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        self.ending = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.ending.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self) -> None:
        while not self.ending.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.talk, args=[client], daemon=True).start()

    def talk(self, client: socket.socket) -> None:
        try:
            if self.drip:
                self.drip_on(client)
                return
            if self.tls_at_once:
                client = self.secured(client)
            self.say(client, self.greeting)
            while self.converse(client):
                client = self.secured(client)
        except OSError:
            return  # whoever called has hung up
        finally:
            client.close()

    def secured(self, client: socket.socket) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert self.certificate
        context.load_cert_chain(self.certificate)
        return context.wrap_socket(client, server_side=True)

    def converse(self, client: socket.socket) -> bool:
        """Until it ends; whether it is to go on under TLS."""
        with client.makefile("rb", buffering=0) as lines:
            for line in lines:
                said = line.decode().strip()
                if said.upper() == "STARTTLS":
                    self.say(client, "220 go on")
                    return True
                if not self.answer(client, said, lines):
                    break
        return False

    def drip_on(self, client: socket.socket) -> None:
        """Never a line's end: each byte is in time, the whole of it never comes."""
        client.sendall(b"220 ")
        while not self.ending.wait(0.1):
            client.sendall(b".")

    def answer(self, client: socket.socket, line: str, lines: Any) -> bool:
        verb = line[:4].upper()
        if verb == "RCPT":
            address = line.partition("<")[2].partition(">")[0]
            self.say(client, self.refuse.get(address, "250 known"))
        elif verb == "DATA":
            self.say(client, "354 go on")
            self.take(lines)
            self.say(client, self.after_data)
        elif verb == "EHLO" and self.certificate:
            self.say(client, "250-tests\r\n250 STARTTLS")
        elif verb == "QUIT":
            self.say(client, "221 bye")
            return False
        else:
            self.say(client, "250 ok")
        return True

    def take(self, lines: Any) -> None:
        text = b""
        for line in lines:
            if line == b".\r\n":
                break
            text += line.removeprefix(b".") if line.startswith(b"..") else line
        if self.after_data.startswith("2"):
            self.taken.append(message_from_bytes(text, policy=policy.default))

    def say(self, client: socket.socket, line: str) -> None:
        client.sendall(f"{line}\r\n".encode())

    def mailers(self, timeout: float = 2) -> dict[str, Any]:
        options = {"host": "127.0.0.1", "port": self.port, "timeout": timeout}
        options |= {"use_ssl": self.tls_at_once, "use_tls": bool(self.certificate) and not self.tls_at_once}
        return {"default": {"BACKEND": "registrations.smtp.BoundedBackend", "OPTIONS": options}}
