"""A SOCKS5 proxy: it resolves names itself, and may refuse, crawl or fall silent."""
import socket
import struct
import threading
import time

REFUSED, NOT_ALLOWED, NO_ROUTE = 5, 2, 4


class Proxy:
    """names: {host: port on this machine}; refuses: a code of RFC 1928; pace: bytes a second, either way."""

    def __init__(self, names, refuses=None, pace=None, is_silent=False):
        self.names, self.refuses, self.pace, self.is_silent = names, refuses, pace, is_silent
        self.asked = []  # (kind of address, host)
        self.carried = 0  # bytes that went through, both ways
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socks5h://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    @staticmethod
    def _exactly(end, size):
        data = b""
        while len(data) < size:
            piece = end.recv(size - len(data))
            if not piece:
                raise ConnectionError("the client has gone")
            data += piece
        return data

    def _serve(self, client):
        try:
            if self.is_silent:
                while client.recv(4096):
                    pass
                return
            _, methods = self._exactly(client, 2)
            self._exactly(client, methods)
            client.sendall(b"\x05\x00")
            host, port = self._hear_place(client)
            if self.refuses:
                client.sendall(bytes((5, self.refuses, 0, 1)) + bytes(6))
                return
            pool = socket.create_connection(("127.0.0.1", self.names.get(host, port)))
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            other = threading.Thread(target=self._carry, args=(pool, client), daemon=True)
            other.start()
            self._carry(client, pool)
            other.join()
        except OSError:
            pass
        finally:
            client.close()

    def _hear_place(self, client):
        _, _, _, kind = self._exactly(client, 4)
        size = {1: 4, 4: 16}.get(kind) or self._exactly(client, 1)[0]
        host = self._exactly(client, size)
        port, = struct.unpack(">H", self._exactly(client, 2))
        name = host.decode() if kind == 3 else socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, host)
        self.asked.append(("name" if kind == 3 else "number", name))
        return name, port

    def _carry(self, come, go):
        try:
            while piece := come.recv(max(1, self.pace // 50) if self.pace else 1 << 16):
                go.sendall(piece)
                self.carried += len(piece)
                if self.pace:
                    time.sleep(len(piece) / self.pace)
            go.shutdown(socket.SHUT_WR)
        except OSError:
            try:
                go.shutdown(socket.SHUT_RDWR)  # an end has gone: so does the other
            except OSError:
                pass
