"""Files that are written whole or not at all."""

import os
from contextlib import suppress


def is_special(path):
    """Is this no file but /dev/stdout, or the pipe that a shell makes of >(gzip)?"""
    return os.path.exists(path) and not os.path.isfile(path)


def write_whole(path, content):
    """Write a file completely or leave it as it was, whatever happens meanwhile: an error, Ctrl-C, `kill -9`, a loss of power.

    What is written stands beside the file until all of it is on the disk, and then takes its name. A link stays a link to
    the file; a device or a pipe is simply written to.

    Parameters
    ----------
    path : str or os.PathLike
    content : bytes

    Raises
    ------
    OSError

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(folder + "/labels.csv", b"0,1")
    ...     os.listdir(folder)
    ['labels.csv']
    """
    if is_special(path):
        with open(path, "wb") as file:
            file.write(content)
        return
    target = os.path.realpath(path)
    part = f"{target}.{os.getpid()}.part"
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with suppress(OSError):
            os.remove(part)
        raise
