"""Gateways that die by SIGKILL at random moments, and what their ledger must still hold.

`python -m tests.faults.crash --kills 1000` runs it at length; `test_kill_faults.py` a little of it.
"""
