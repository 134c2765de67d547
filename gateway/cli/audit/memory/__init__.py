"""Whether what was told in private stays private: later requests hold nothing that a detector knows, and no tag.

Owns the tellings, and the requests that quote them or go on from them. Must not plant what inspection could find.
"""
