"""Office documents: Office Open XML (`docx`, `xlsx`, `pptx`) and OpenDocument (`odt`, `ods`, `odp`).

Owns which part of such a file says what. Everything in the file is read, whether an office program shows it or not:
what no rule here knows is not whole.
"""
