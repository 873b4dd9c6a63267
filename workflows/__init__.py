"""The runtime: decides, acts in one transaction, and runs what follows from the outbox."""
