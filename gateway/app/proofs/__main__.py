"""`python -m gateway.app.proofs`: answers the one question that comes in, and ends. Started by the gateway only."""

import sys

import msgspec

from gateway.app.proofs.question import Question, answer_to

if __name__ == "__main__":
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(answer_to(question, question.policy())))
