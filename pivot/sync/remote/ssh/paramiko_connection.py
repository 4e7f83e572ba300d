"""SSH without a program: paramiko's transport, one connection, a channel for each command."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

import paramiko

from pivot.errors import ConnectionLost, RemoteError
from pivot.sync.remote.channel import BLOCK, Channel, ProgramExit, copy_file, last_words
from pivot.sync.remote.ssh.authentication import log_in
from pivot.sync.remote.ssh.host_keys import known_keys, refuse_stranger
from pivot.sync.remote.ssh.target import SshTarget

CHANNELS = 8  # at once; servers allow ten by default
KEEPALIVE = 15  # seconds
_DEAD = 60_000  # milliseconds without an answer to anything sent until the line counts as broken
_WINDOW = 16 << 20  # bytes that may be under way
_FAST = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")

Ask = Callable[[str], str | None]
"""Asks the user for the passphrase of a key; None where nobody can be asked."""


class EmbeddedConnection:
    """A connection to `target`, through its jump hosts."""

    def __init__(self, target: SshTarget, timeout: int, ask: Ask) -> None:
        self._where = target.known_as
        self._free = threading.BoundedSemaphore(CHANNELS)
        self._way: list[paramiko.Transport] = []
        try:
            for hop in (*target.jumps, target):
                transport = open_transport(hop, timeout, self._way[-1] if self._way else None)
                self._way.append(transport)
                refuse_stranger(hop, transport.get_remote_server_key())
                log_in(transport, hop, timeout, ask)
                transport.set_keepalive(KEEPALIVE)
        except BaseException:
            self.close()
            raise

    def start(self, command: str) -> Channel:
        self._free.acquire()
        try:
            channel = self._way[-1].open_session(timeout=60)
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            self._free.release()
            raise ConnectionLost(f"the connection to {self._where} broke: {error}") from error
        return _EmbeddedChannel(channel, self._where, self._free.release)

    def close(self) -> None:
        for transport in reversed(self._way):
            transport.close()


class _EmbeddedChannel:
    def __init__(self, channel: paramiko.Channel, where: str, release: Callable[[], object]) -> None:
        self._channel = channel
        self._where = where
        self._release = release
        self._closed = False

    def write(self, data: bytes | memoryview) -> None:
        try:
            self._channel.sendall(bytes(data))
        except OSError as error:
            raise BrokenPipeError(str(error)) from error

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        return copy_file(self, descriptor, offset, count)

    def end(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._channel.shutdown_write()

    def read(self, count: int) -> bytes:
        return bytes(self._channel.recv(count))

    def finish(self) -> ProgramExit:
        self.end()
        while self._channel.recv(BLOCK):
            pass
        code = self._channel.recv_exit_status()
        if code < 0:
            raise ConnectionLost(f"the connection to {self._where} broke")
        return ProgramExit(code, last_words(b"".join(iter(lambda: self._channel.recv_stderr(BLOCK), b""))))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._channel.close()
            self._release()


def open_transport(target: SshTarget, timeout: int, through: paramiko.Transport | None = None) -> paramiko.Transport:
    """Shake hands with a host; its key has not been looked at yet.

    Raises:
        ConnectionLost: it cannot be reached.
        RemoteError: it does not speak SSH as we do.
    """
    try:
        line = _open_line(target, timeout, through)
        transport = paramiko.Transport(line, default_window_size=_WINDOW)
        options = transport.get_security_options()
        options.ciphers = tuple(sorted(options.ciphers, key=lambda name: name not in _FAST))
        known = known_keys(target)
        options.key_types = tuple(sorted(options.key_types, key=lambda name: _kind(name) not in known))
        transport.start_client(timeout=timeout)
    except (OSError, EOFError) as error:
        raise ConnectionLost(f"{target.host}, port {target.port}, cannot be reached: {_reason(error)}") from error
    except paramiko.SSHException as error:
        raise _no_ssh(target, error) from error
    if not transport.initial_kex_done:  # which it says of a host that took too long with not a word
        transport.close()
        raise ConnectionLost(f"{target.host}, port {target.port}, has not answered for {timeout} seconds")
    return transport


def _no_ssh(target: SshTarget, error: paramiko.SSHException) -> RemoteError:
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return RemoteError(f"{target.host} speaks an SSH that is not understood: {error}")
    return ConnectionLost(f"{target.host}, port {target.port}, does not answer as an SSH server: {error}")


def _kind(name: str) -> str:
    """The kind under which `known_hosts` lists a key: RSA has several signatures and one name."""
    return "ssh-rsa" if name.startswith("rsa-sha2") else name


def _open_line(target: SshTarget, timeout: int, through: paramiko.Transport | None) -> Any:
    if through is not None:
        return through.open_channel("direct-tcpip", (target.host, target.port), ("127.0.0.1", 0), timeout=timeout)
    if target.proxy_command:
        return paramiko.ProxyCommand(target.proxy_command)
    line = socket.create_connection((target.host, target.port), timeout)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD)
    return line


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
