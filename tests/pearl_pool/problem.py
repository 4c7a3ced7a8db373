"""Headers, targets and jobs: what a pool asks for, and how one job follows another."""
import os
import struct
import time


def target_of(difficulty):
    """What most pools' labels mean, rounded down to compact form; 1 costs 2^32 multiply-accumulates."""
    return decompact(compact((0xFFFF << 208) // difficulty))


def compact(target):
    size = (target.bit_length() + 7) // 8
    top = target >> 8 * (size - 3) if size > 3 else target << 8 * (3 - size)
    if top & 0x800000:
        top, size = top >> 8, size + 1
    return size << 24 | top


def decompact(nbits):
    size, top = nbits >> 24, nbits & 0xFFFFFF
    return top << 8 * (size - 3) if size > 3 else top >> 8 * (3 - size)


class Header:
    """The 76 bytes, field by field."""

    def __init__(self, nbits=0x18052F31):
        self.version, self.nbits = 0x20000000, nbits
        self.previous, self.root = os.urandom(32), os.urandom(32)
        self.time = int(time.time())

    def bytes(self):
        return struct.pack("<I", self.version) + self.previous + self.root + struct.pack("<II", self.time, self.nbits)


class Job:
    def __init__(self, job_id, header, target, height, cert_version, shape=None, is_clean=True):
        self.job_id, self.header, self.target, self.height = job_id, header, target, height
        self.cert_version, self.shape, self.is_clean = cert_version, shape, is_clean
        self.said_at = None  # when its notify left

    @property
    def previous(self):
        return self.header[4:36]


class Problem:
    """What is mined now. Each method changes one thing and returns the job that follows."""

    def __init__(self, difficulty=10, height=131072, cert_version=3, id_like="%08x_2097152", shape=None):
        self.count, self.height, self.cert_version, self.id_like = 0, height, cert_version, id_like
        self.target, self.shape = target_of(difficulty), shape
        self.header = Header()
        self.is_solo = False  # there is one target, the header's

    def job(self, is_clean=False):
        self.count += 1
        if self.is_solo:
            self.header.nbits = compact(self.target)
        return Job(self.id_like % self.count, self.header.bytes(), self.target, self.height, self.cert_version,
                   self.shape, is_clean)

    def new_block(self):
        self.header.previous, self.header.root = os.urandom(32), os.urandom(32)
        self.header.time += 1
        self.height += 1
        return self.job(is_clean=True)

    def new_time(self):
        self.header.time += 1
        return self.job()

    def new_difficulty(self, difficulty):
        self.target = target_of(difficulty)
        return self.job()
