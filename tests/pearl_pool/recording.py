"""A recorded conversation as data: in which order a pool of that kind speaks, and with which members.

The files are those that test_conversations replays byte for byte; here only the lines of the wire are
read. Their values are invented: ids, headers, targets are put in anew for every connection.
"""
import json
import os

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "protocol", "conversations")
NOTIFY, AUTHORIZE, SUBMITS = "mining.notify", "mining.authorize", ("mining.submit", "submitPlainProof")
INFO, SHAPE = "getMiningInfo", "pearl.set_mining_params"


class Recording:
    """opening: [(is_pool, message)] up to the first share. accepted, refusals: replies to shares."""

    def __init__(self, name):
        self.name, self.opening, self.refusals, self.accepted = name, [], [], None
        self.scheme, self.form, self.manners = None, "split", ()
        steps = self._read(os.path.join(FOLDER, f"pool_{name}.txt"))
        asked = {}
        for is_pool, message in steps:
            if not is_pool:
                asked[message["id"]] = message["method"]
            elif "method" not in message and asked.get(message["id"]) in SUBMITS:
                self._keep_verdict(message)
        first = next(i for i, (is_pool, m) in enumerate(steps) if not is_pool and m["method"] in SUBMITS)
        self.opening = steps[:first]
        self.notify = next((m for is_pool, m in steps if is_pool and m.get("method") == NOTIFY), None)
        self.shape = next((m for is_pool, m in steps if is_pool and m.get("method") == SHAPE), None)
        self.info = next((m for is_pool, m in steps if is_pool and "incomplete_header_bytes" in str(m)), None)
        assert self.accepted and (self.notify or self.info), name

    def _read(self, path):
        steps = []
        with open(path, encoding="utf-8") as file:
            for line in file.read().splitlines():
                if line.startswith("dialect "):
                    _, self.scheme, *form = line.split()
                    self.form = form[0] if form and form[0] in ("array", "dot", "slash") else "split"
                    self.manners = form[1].split(",") if len(form) > 1 else ()
                elif line[:3] in ("C> ", "S> "):
                    steps.append((line[0] == "S", json.loads(line[3:])))
        return steps

    def _keep_verdict(self, message):
        if message.get("error") is None and message.get("result"):
            self.accepted = self.accepted or message
        else:
            self.refusals.append(message)

    def options(self):
        """What `minerva mine` must be told, as for a pool that is not in its table."""
        words = [] if self.form == "split" else ["--login", self.form]
        words += ["--jsonrpc", "yes"] if "jsonrpc" in self.manners else []
        return words + (["--pass-key", "password"] if "password" in self.manners else [])

    @property
    def is_gateway(self):
        return self.info is not None

    @property
    def is_array(self):
        return self.notify is not None and isinstance(self.notify["params"], list)

    @property
    def has_tls(self):
        return self.scheme.endswith(("ssl", "tls"))


def names():
    return sorted(n[5:-4] for n in os.listdir(FOLDER) if n.startswith("pool_") and n.endswith(".txt"))
