"""A mail server for the tests that really speaks SMTP (RFC 5321): it can be away, slow, and refuse."""

import socket
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class MailServer:
    """A context. `refuse` is the answer to RCPT for an address, `drip` one byte a second instead of an answer."""

    refuse: dict[str, str] = field(default_factory=dict)
    after_data: str = "250 taken"
    greeting: str = "220 tests ready"
    drip: bool = False
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
        with client, client.makefile("rb") as lines:
            try:
                if self.drip:
                    self.drip_on(client)
                    return
                self.say(client, self.greeting)
                for line in lines:
                    if not self.answer(client, line.decode().strip(), lines):
                        return
            except OSError:
                return

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
        return {"default": {"BACKEND": "registrations.smtp.BoundedBackend", "OPTIONS": options}}
