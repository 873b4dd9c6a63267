"""Stores, tables made from definitions, schema changes, access rules and system tables: the only Piccolo code."""
