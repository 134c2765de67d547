"""What keeps the gateway from starting as it is configured, found before anything starts: all of it, not the first.

`serve` refuses for what is found here, and `check` and `doctor` show the same sentences. Each begins with the setting
that it is about, so that its place can be said. Looks at files, ports and memory; changes nothing, and asks nobody but
the resolver of names.
"""
