"""TLS in front of a session: one thread alone touches the encrypted end, for OpenSSL wants that."""
import select
import socket
import ssl
import threading


def unwrap(connection, context):
    """A plain socket that stands for connection after its handshake; OSError if there is none."""
    secret = context.wrap_socket(connection, server_side=True)
    secret.setblocking(False)
    inner, outer = socket.socketpair()
    threading.Thread(target=_carry, args=(secret, inner), daemon=True).start()
    return outer


def _read_secret(secret):
    """What can be read now, None for nothing, b"" for the end."""
    try:
        return secret.recv(1 << 16)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


def _write_secret(secret, data):
    while data:
        try:
            data = data[secret.send(data):]
        except ssl.SSLWantWriteError:
            select.select([], [secret], [])
        except ssl.SSLWantReadError:
            select.select([secret], [], [])


def _carry(secret, inner):
    try:
        while True:
            ready, _, _ = select.select([secret, inner], [], [])
            if secret in ready:
                while (data := _read_secret(secret)) is not None:
                    if not data:
                        return
                    inner.sendall(data)
            if inner in ready:
                data = inner.recv(1 << 16)
                if not data:
                    return
                _write_secret(secret, data)
    except OSError:
        pass  # an end has gone: so does the other
    finally:
        secret.close()
        inner.close()
