"""A file system of its own in an image file, whose power can be cut."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

# FS_IOC_SHUTDOWN with NOLOGFLUSH: from this moment on nothing more reaches the device.
_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2


def needs_root() -> None:
    """Mounting is for root."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a file system of its own")


class LoopDisk:
    """An ext4 in an image file, mounted through a loop device.

    `cut` is the power cut. Copying the image of a mounted file system would not do: the copy takes
    time, so that it shows a state that the disk never was in. The shutdown call of the file system
    stops all its writing at one instant, as pulling the plug does; what was not flushed is gone.
    """

    def __init__(self, folder: Path, megabytes: int) -> None:
        needs_root()
        folder.mkdir(parents=True, exist_ok=True)
        self.image = folder / "disk.img"
        self.path = folder / "disk"
        self.path.mkdir()
        with self.image.open("wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True)
        self.mount()

    def mount(self) -> None:
        """Mount it; a journal that the power cut left is played back by this."""
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.path)], check=True)

    def unmount(self) -> None:
        """Unmount it, if it is mounted."""
        if self.path.is_mount():
            subprocess.run(["umount", str(self.path)], check=True)

    def cut(self) -> None:
        """Cut the power: unflushed data are lost, and every later operation fails.

        A flush under way at that moment may still be told to have succeeded, though it has not: in
        7 of 150 cuts of a program that only writes and flushes. So senders must not hear answers
        from the cut on, as nobody does when the power is off.
        """
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(folder)


class MemoryDisk:
    """A tmpfs of a fixed size, which can be made larger."""

    def __init__(self, path: Path, megabytes: int) -> None:
        needs_root()
        self.path = path
        self.megabytes = megabytes
        path.mkdir(parents=True, exist_ok=True)
        options = f"size={megabytes}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)

    def grow(self, megabytes: int) -> None:
        """Add space."""
        self.megabytes += megabytes
        options = f"remount,size={self.megabytes}m"
        subprocess.run(["mount", "-o", options, str(self.path)], check=True)

    def free_bytes(self) -> int:
        """Space left."""
        return shutil.disk_usage(self.path).free

    def unmount(self) -> None:
        """Give the memory back."""
        if self.path.is_mount():
            subprocess.run(["umount", str(self.path)], check=True)
