"""A second, independent generator: the benchmark's kinds of picture as matplotlib figures, finished as other people's files are."""
