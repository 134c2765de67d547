"""From YAML to a policy: every problem of a file is found at once, with its line and a suggestion.

Owns the form of policy files and the sentences about their problems. Must not decide anything; what it has read is data
of `language`.
"""
