"""device_work.py - whole programs on one kind of device beside the processor, for the tests of its backend."""
import filecmp
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

MINERVA, SOURCE = os.environ["MINERVA"], os.environ["SOURCE"]
TINY = os.path.join(SOURCE, "tests", "vectors", "models", "tiny-bert")
PRODUCT = ("--kind", "matmul", "--shape", "48,80,2048")
HEADER = bytes(range(76)).hex()
TARGET = "2" + "0" * 59  # 2^237: a tile of 2^18 multiply-accumulates wins half the time


class Work:
    """Runs minerva on a backend's device; `surroundings` makes more of the environment out of a stand-in's switches."""

    def __init__(self, backend, surroundings, usual=""):
        self.backend, self.surroundings, self.usual = backend, surroundings, usual
        self.home = tempfile.mkdtemp(prefix=f"minerva-{backend}-")

    def environment(self, switches):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}
        places = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
        return {**kept, **{place: self.home for place in places},
                **self.surroundings(self.usual if switches is None else switches)}

    def minerva(self, *words, switches=None, code=0):
        done = subprocess.run([MINERVA, *words], env=self.environment(switches), capture_output=True, text=True,
                              timeout=200, check=False)
        if done.returncode != code:
            sys.exit(f"{' '.join(words)}: exit code {done.returncode}, expected {code}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def task(self, *words, **how):
        return self.minerva("task", "run", *words, "-d", self.backend, **how)

    def same_on_both(self, name, *words):
        """The result's file and every proof, on the processor and on the device; how many proofs."""
        made = {}
        for device in ("cpu", self.backend):
            made[device] = os.path.join(self.home, f"{name}-{device}")
            os.makedirs(os.path.join(made[device], "proofs"))
            self.minerva("task", "run", *words, "-d", device, "-o", os.path.join(made[device], "out"), "--prove",
                         os.path.join(made[device], "proofs"), "--header", HEADER, "--target", TARGET,
                         "--cert-version", "3", "--min-rank", "32")
        proofs = {device: sorted(os.listdir(os.path.join(folder, "proofs"))) for device, folder in made.items()}
        files = ["out"] + [os.path.join("proofs", proof) for proof in proofs["cpu"]]
        _, differing, missing = filecmp.cmpfiles(made["cpu"], made[self.backend], files, shallow=False)
        if proofs["cpu"] != proofs[self.backend] or differing or missing:
            sys.exit(f"{name}: {differing or missing or proofs} differ")
        return len(proofs["cpu"])

    def same_product_and_embedding(self):
        """Both with proofs, and as on the processor."""
        count = self.same_on_both("product", *PRODUCT)
        if not count:
            sys.exit("no proof was found: the target tells nothing")
        model, text = os.path.join(self.home, "tiny"), os.path.join(self.home, "text")
        self.minerva("model", "import", TINY, "-o", model)
        with open(text, "w", encoding="utf-8") as file:
            for i in range(5):
                file.write(" ".join(f"w{5 + (i * 7 + j * 3) % 55}" for j in range(1 + i * 9 % 50)) + "\n")
        self.same_on_both("embedding", "--kind", "embed", "--model", model, "--text", text)
        print(f"{count} proofs and both results are the processor's")

    def mine(self, wanted, switches=None):
        """Mines alone until it says what is wanted; all that it said."""
        process = subprocess.Popen(
            [MINERVA, "mine", "-o", "simulate://60000000", "-u", "me", "-d", self.backend, "--no-color"],
            env=self.environment(switches), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        said = ""
        for line in process.stdout:
            said += line
            if re.search(wanted, line):
                process.send_signal(signal.SIGTERM)
        watchdog.cancel()
        process.wait()
        if not re.search(wanted, said):
            sys.exit(f"{switches}: never said {wanted!r}:\n{said}")
        return said
