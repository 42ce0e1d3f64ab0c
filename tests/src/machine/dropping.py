# A medium that forgets what was written and not flushed when its power is cut, for nbdkit's python plugin.
#   nbdkit -f -U SOCKET python dropping.py file=CARD log=FILE [seed=N]
# Each sector written since the last flush stays in memory. SIGTERM is the cut: all of them are lost, or with a seed a random half of
# them. How many were lost is written to the log.
# While LOG.soon is there, the next flush that has something to keep is the moment of the cut: it makes LOG.now and keeps nothing.
import os
import random
import time

import nbdkit

API_VERSION = 2
SECTOR = 512
settings = {}
pending = {}


def config(key, value):
    settings[key] = value


def get_ready():
    settings["fd"] = os.open(settings["file"], os.O_RDWR)


def thread_model():
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def open(readonly):
    return 1


def get_size(handle):
    return os.fstat(settings["fd"]).st_size


def can_write(handle):
    return True


def can_flush(handle):
    return True


def can_fua(handle):
    return nbdkit.FUA_NATIVE


def block_size(handle):
    return (SECTOR, 4096, 0xFFFFFFFF)


def pread(handle, buffer, offset, flags):
    held = bytearray(os.pread(settings["fd"], len(buffer), offset))
    for at in range(0, len(buffer), SECTOR):
        sector = pending.get(offset + at)
        if sector is not None:
            held[at:at + SECTOR] = sector
    buffer[:] = held


def pwrite(handle, buffer, offset, flags):
    for at in range(0, len(buffer), SECTOR):
        if flags & nbdkit.FLAG_FUA:
            os.pwrite(settings["fd"], bytes(buffer[at:at + SECTOR]), offset + at)
            pending.pop(offset + at, None)
        else:
            pending[offset + at] = bytes(buffer[at:at + SECTOR])


def flush(handle, flags):
    soon = settings["log"] + ".soon"
    if pending and os.path.exists(soon):
        os.close(os.open(settings["log"] + ".now", os.O_WRONLY | os.O_CREAT))
        while os.path.exists(soon):
            time.sleep(0.01)
        return
    keep(list(pending))


def keep(places):
    for place in places:
        os.pwrite(settings["fd"], pending.pop(place), place)


def cleanup():
    if "seed" in settings:
        draw = random.Random(int(settings["seed"]))
        keep([place for place in sorted(pending) if draw.random() < 0.5])
    log = os.open(settings["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(log, str(len(pending)).encode())
    os.close(log)
