"""From a file and the environment to values, and from what is wrong with them to sentences with file and line.

Must not know single settings, but for the places of paths and the kinds of targets.
"""
