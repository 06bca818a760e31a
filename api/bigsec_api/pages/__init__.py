"""One file a resource: the pages that people read, and their `.json` twins."""
