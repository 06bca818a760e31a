"""Relational data: signals, incidents and what belongs to them, in SQLite (or PostgreSQL later).

Contract (being implemented):

    open_store(location, *, create=False) -> Store      # context manager; .close()
        location: a folder (its bigsec.db), a database file, or a database URL
        raises StoreError BS3104 (nothing there and create is False), BS3105 (broken),
        StoreVersionError BS3101 (newer; not a byte changed)
    memory_store() -> Store                             # nothing is left after close()
    OutputFolder(path)                                  # context manager
        with OutputFolder("out") as output:             # StoreLockedError names the pid
            output.store                                # a Store: the old content, or new
            output.commit()                             # fsync, rename over out/bigsec.db, fsync
        # leaving without commit() leaves the old store untouched
        # StoreFullError where the disk is full
    store.known_files() -> list[tuple[str, int, int, str]]      # for Scanner(known_files=…)
    store.remember_files(scanner.files)                         # after the scan, before commit
"""
