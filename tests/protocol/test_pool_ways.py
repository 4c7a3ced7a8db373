#!/usr/bin/env python3
"""Claim: a way to the pool is taken only where it is the right one: certificates are checked unless
a key is pinned, which is then the only one that counts; a proxy is used, names are resolved there,
and nothing goes past it.
"""
import os
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import cases, proxy, puppet as by_hand  # noqa: E402
from pearl_pool.certificates import Certificates  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402

FOLDER = tempfile.TemporaryDirectory(prefix="minerva-ways-")
MADE = Certificates(FOLDER.name)
TLS = {
    "good": MADE.signed("good"),
    "another": MADE.signed("another"),
    "name": MADE.signed("name", alt="DNS:pool.example"),
    "expired": MADE.signed("expired", is_expired=True),
    "self": MADE.self_signed("self"),
}
PINS = {name: MADE.pin(cert) for name, (cert, _) in TLS.items()}


def made_to_join(pool, strict=2, **settings):
    """With time for a slow machine to connect."""
    return by_hand.Puppet(pool, strict=strict, **settings)


def delivers(pool, puppet):
    puppet.joins(pool.current)
    assert puppet.verdict(puppet.share(pool.current)).verdict == "accepted"
    assert not puppet.said("lost"), puppet.said("lost")


def tls_is_taken(name, settings):
    with PearlPool("suprnova", verifies=False, tls=TLS[name]) as pool, made_to_join(pool, **settings) as puppet:
        delivers(pool, puppet)


def tls_is_refused(name, settings, pattern):
    with PearlPool("suprnova", verifies=False, tls=TLS[name]) as pool, made_to_join(pool, **settings) as puppet:
        puppet.expect("lost", pattern)
        puppet.expect("lost", pattern)
        assert not puppet.said("connected") and not pool.lines


def plain_where_tls_is_wanted():
    with PearlPool("suprnova", verifies=False) as pool:
        with made_to_join(pool.url.replace("+tcp", "+ssl"), ca_file=MADE.ca) as puppet:
            puppet.expect("lost", r"(?i)tls|ssl|time")
            assert not puppet.said("connected")


def tls_where_plain_is_wanted():
    with PearlPool("suprnova", verifies=False, tls=TLS["good"]) as pool:
        with made_to_join(pool.url.replace("+ssl", "+tcp")) as puppet:
            puppet.expect("lost")
            assert not puppet.said("connected")


def a_name_is_resolved_by_the_proxy(scheme):
    tls = TLS["name"] if scheme == "ssl" else None
    with PearlPool("suprnova", verifies=False, tls=tls) as pool, proxy.Proxy({"pool.example": pool.port}) as way:
        settings = {"ca_file": MADE.ca} if tls else {}
        with made_to_join(f"stratum+{scheme}://pool.example:4444", proxy=way.url, **settings) as puppet:
            delivers(pool, puppet)
        assert set(way.asked) == {("name", "pool.example")}, way.asked


def a_proxy_that_refuses(code):
    with PearlPool("suprnova", verifies=False) as pool, proxy.Proxy({}, refuses=code) as way:
        with made_to_join(pool, proxy=way.url) as puppet:
            puppet.expect("lost", r"(?i)proxy|socks")
            puppet.expect("lost", r"(?i)proxy|socks")
            assert pool.connections == 0 and len(way.asked) >= 2


def no_proxy_there():
    with PearlPool("suprnova", verifies=False) as pool, socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        with made_to_join(pool, proxy=f"socks5h://127.0.0.1:{held.getsockname()[1]}") as puppet:
            puppet.expect("lost", r"again in")
            puppet.expect("lost", r"again in")
            assert pool.connections == 0


def a_silent_proxy():
    """Connecting has 10 s, here half a second."""
    with PearlPool("suprnova", verifies=False) as pool, proxy.Proxy({}, is_silent=True) as way:
        with made_to_join(pool, proxy=way.url, strict=20) as puppet:
            begun = time.monotonic()
            puppet.expect("lost", r"again in")
            assert time.monotonic() - begun < 2 and pool.connections == 0


def a_slow_proxy():
    """A share takes a second to leave; jobs come in meanwhile, and it is not begun again."""
    with PearlPool("suprnova", verifies=False) as pool, proxy.Proxy({}, pace=40000) as way:
        with made_to_join(pool, proxy=way.url) as puppet:
            puppet.joins(pool.current)
            begun, first = time.monotonic(), pool.current
            serial = puppet.share(first, size=400000)
            second = pool.say(pool.problem.new_time())
            assert puppet.expect("job", job=second.job_id).at - begun < 1
            assert not puppet.said("lost"), puppet.said("lost")
            way.pace = 4 << 20
            news = puppet.verdict(serial)
            assert news.verdict == "accepted" and pool.count() == 1, news


NAMED = r"(?i)certificate|subject|name"
PINNED = r"(?i)pin|public key"
ca = {"ca_file": MADE.ca}
cases.run([
    (tls_is_taken, "good", ca),
    (tls_is_taken, "self", {"pin": PINS["self"]}),
    (tls_is_taken, "expired", {"pin": PINS["expired"]}),
    (tls_is_taken, "name", {"pin": PINS["name"]}),
    (tls_is_refused, "good", {}, r"(?i)certificate"),
    (tls_is_refused, "name", ca, NAMED),
    (tls_is_refused, "expired", ca, r"(?i)expired"),
    (tls_is_refused, "self", ca, r"(?i)self.signed|certificate"),
    (tls_is_refused, "good", {"pin": PINS["another"], **ca}, PINNED),
    (tls_is_refused, "self", {"pin": PINS["good"]}, PINNED),
    plain_where_tls_is_wanted, tls_where_plain_is_wanted,
    (a_name_is_resolved_by_the_proxy, "tcp"), (a_name_is_resolved_by_the_proxy, "ssl"),
    (a_proxy_that_refuses, proxy.REFUSED), (a_proxy_that_refuses, proxy.NOT_ALLOWED),
    no_proxy_there, a_silent_proxy, a_slow_proxy,
])
