"""Other ways to read a text: as a person sees it, and as a program decodes it. Pure and bounded."""
