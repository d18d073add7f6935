"""Config: the schema of conf/, its files, and the command line that composes them."""
