"""The whole worker against a scripted pool: `minerva mine`, its lines, its end, its own count."""
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

MINERVA = os.path.abspath(os.environ.get("MINERVA", "build/minerva"))


class Miner:
    """It writes into a home of its own and reads no setting of the machine's."""

    def __init__(self, pools, *words, threads=2, user="someone.rig7", program=MINERVA):
        self.home = tempfile.TemporaryDirectory(prefix="minerva-miner-")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}
        environment.update(HOME=self.home.name, XDG_CONFIG_HOME=self.home.name, XDG_CACHE_HOME=self.home.name)
        urls = [word for pool in (pools if isinstance(pools, list) else [pools])
                for word in ("-o", pool if isinstance(pool, str) else pool.url)]
        command = [os.path.abspath(program), "mine", *urls, "-u", user, "--account", "-t", str(threads), "--no-color", *words]
        self.process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env=environment, cwd=self.home.name)
        self.lines, self.changed, self.at = [], threading.Condition(), {}
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.at[len(self.lines)] = time.monotonic()
                self.lines.append(line)
                self.changed.notify_all()

    def said(self):
        return "".join(self.lines)

    def expect(self, part, times=1, seconds=60):
        with self.changed:
            seen = self.changed.wait_for(lambda: self.said().count(part) >= times, timeout=seconds)
        assert seen, f"not said within {seconds} s: {part!r}\n{self.said()[-3000:]}"

    def stop(self, code=0, seconds=60):
        """Asks it to end; its last words hold the count."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.end(code, seconds)

    def end(self, code=0, seconds=60):
        came = self.process.wait(timeout=seconds)
        self.reader.join(timeout=10)
        self.home.cleanup()
        assert came == code, f"exit code {came}, expected {code}\n{self.said()[-3000:]}"
        return self.said()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def counted(said):
    """What the summary counts, by word; a word that it does not say is 0."""
    line = re.search(r"shares +(\d.*)", said)
    found = {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", line.group(1))} if line else {}
    lost = re.search(r"(\d+) answers were lost with the connection", said)
    found.setdefault("unknown", int(lost.group(1)) if lost else 0)
    return found
