"""Several processes of one gateway on the same ports (`server.workers`): who starts them, what they tell each other.

The first process is a supervisor, which answers no request. It binds the ports, starts one whole gateway for each
worker (the same command, with a variable that says so), begins it again when it dies, adds up their metrics, and keeps
answers for retries. What else workers share lies in the ledger, as with gateways on several machines.
"""
