"""Whether a proof holds: by the project's own verifier, and by a second implementation where one is
at hand (the file that MINERVA_JUDGE names, or ../shared/oracle/pouwref.py), skipped silently if not.
"""
import base64
import importlib.util
import os
import struct
import subprocess
import sys
import tempfile

MINERVA = os.path.abspath(os.environ.get("MINERVA", "build/minerva"))
SOURCE = os.environ.get("SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JUDGE = os.environ.get("MINERVA_JUDGE", os.path.join(SOURCE, "..", "shared", "oracle", "pouwref.py"))
RANK, CHARACTERS_MAX = 128, 600000


def verify(header, target, cert_version, proof):
    """None, or why the project's verifier rejects it."""
    with tempfile.NamedTemporaryFile(suffix=".proof") as file:
        file.write(proof)
        file.flush()
        done = subprocess.run(
            [MINERVA, "verify", "--header", header.hex(), "--target", f"{target:064x}", "--cert-version",
             str(cert_version), "--min-rank", str(RANK), file.name],
            capture_output=True, text=True, timeout=120)
    return None if done.returncode == 0 else (done.stdout + done.stderr).strip()


def shape_of(proof):
    """(m, n, k, rank, row indices, column indices), as the proof itself says."""
    m, n, k, rank = struct.unpack_from("<4Q", proof)
    sides, at = [], 32
    for _ in range(2):
        count, = struct.unpack_from("<Q", proof, at)
        at += 8 + count * (8 + 1024)
        at += 8 + 8 * struct.unpack_from("<Q", proof, at)[0] + 8 + 32
        at += 8 + 32 * struct.unpack_from("<Q", proof, at)[0]
        size, = struct.unpack_from("<Q", proof, at)
        sides.append(struct.unpack_from(f"<{size}Q", proof, at + 8))
        at += 8 + 8 * size
    assert at + 1 == len(proof)
    return m, n, k, rank, *sides


def bound_of(target, proof):
    """T times h * w * floor(k / r) * min(r, 128)."""
    _, _, k, rank, rows, columns = shape_of(proof)
    return target * len(rows) * len(columns) * (k // rank) * min(rank, 128)


def has_judge():
    return os.path.exists(JUDGE) and importlib.util.find_spec("numpy") is not None


def judge(header, target, cert_version, proof):
    """None, or why the second implementation rejects it."""
    with tempfile.NamedTemporaryFile("w", suffix=".proof") as file:
        file.write(base64.b64encode(proof).decode())
        file.flush()
        done = subprocess.run([sys.executable, JUDGE, "verify", file.name, header.hex(), str(cert_version),
                               f"{bound_of(target, proof):064x}"], capture_output=True, text=True, timeout=120)
    accepted = done.returncode == 0 and done.stdout.startswith("accepted")
    return None if accepted else (done.stdout + done.stderr).strip()
