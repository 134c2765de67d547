"""Requests for pictures, speech and transcripts, as other servers are asked, and the reading of what they answer.

Must not open a connection. A body is made of the outbound document alone, by a pure function.
"""
