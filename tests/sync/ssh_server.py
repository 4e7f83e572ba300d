"""An SSH server in this process: it runs what it is asked to, for real, in a shell, as `sshd` would."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import paramiko

BLOCK = 1 << 16


class SshServer:
    """Listens on loopback; lets in whoever has the key `user_key`. `environment` is that of the commands."""

    def __init__(self, home: Path, host_key: paramiko.PKey, user_key: paramiko.PKey) -> None:
        self.home = home
        self.host_key = host_key
        self.user_key = user_key
        self.environment = dict(os.environ)
        self.prefix: list[str] = []
        self.port = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._transports: list[paramiko.Transport] = []
        self._socket: socket.socket | None = None

    def start(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def kill(self) -> None:
        """Everything ends at once, as when the machine goes down."""
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for transport in self._transports:
            transport.close()
        self._running, self._transports = [], []

    def run(self, channel: paramiko.Channel, command: bytes) -> None:
        process = subprocess.Popen(
            [*self.prefix, "/bin/sh", "-c", command.decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.home,
            env=self.environment,
            start_new_session=True,
        )
        self._running.append(process)
        threading.Thread(target=_feed, args=(channel, process), daemon=True).start()
        errors = threading.Thread(target=_pour, args=(process.stderr, channel.sendall_stderr), daemon=True)
        errors.start()
        _pour(process.stdout, channel.sendall)
        errors.join()
        with contextlib.suppress(OSError, EOFError):
            channel.send_exit_status(process.wait() & 0xFF)
            channel.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(line)
            transport.add_server_key(self.host_key)
            self._transports.append(transport)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(server=_Session(self), event=threading.Event())


class _Session(paramiko.ServerInterface):  # type: ignore[misc]
    def __init__(self, server: SshServer) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        is_right = key.get_base64() == self._server.user_key.get_base64()
        return int(paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._server.run, args=(channel, command), daemon=True).start()
        return True


def _feed(channel: paramiko.Channel, process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    with contextlib.suppress(OSError, ValueError):
        while block := channel.recv(BLOCK):
            process.stdin.write(block)
            process.stdin.flush()
    with contextlib.suppress(OSError):
        process.stdin.close()


def _pour(source: object, send: object) -> None:
    descriptor = source.fileno()  # type: ignore[attr-defined]
    with contextlib.suppress(OSError, EOFError):
        while block := os.read(descriptor, BLOCK):
            send(block)  # type: ignore[operator]
