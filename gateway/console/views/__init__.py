"""One file for each view: what it reads and how it says it; its template has the same name in `templates/`."""
