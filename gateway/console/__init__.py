"""The console: pages for people who would rather look than read, served by the gateway itself.

Owns what a page shows and who may see it: names, counts, times, money, and what the visitor types at that moment. Must
not decide anything about requests, keep anything of a prompt, or load anything from elsewhere.
"""
