"""A scripted Pearl pool for tests: a recorded conversation says how it speaks, switches say what is
wrong with it, and what it is sent is judged before it is counted.

recording    what a pool says, read from tests/protocol/conversations
problem      headers, targets, jobs
session      one connection: login, jobs, verdicts
pool         the listener, its jobs, its faults, its count of shares
verifier     whether a proof holds, by `minerva verify` and by a second implementation
certificates keys and certificates, good and bad        tls    the encrypted end of a connection
proxy        SOCKS5, good and bad                       cases  claims beside each other
puppet       the pool thread alone, with shares that a test makes up
miner        the whole worker

Only the standard library, and the openssl command for certificates.
"""
