"""Measurements that the docs rest on; each module says how to run it."""
