"""What the tests of the daemon share: the daemon itself, senders, and a reader of the evidence."""
