"""A voice that is always there: the program espeak-ng, run once for each request.

espeak-ng is under the GPL and stays a program of its own: text goes in on its standard input, sound comes out on its
standard output. Nothing of it is linked or shipped.
"""
