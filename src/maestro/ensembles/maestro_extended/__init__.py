"""The same with two more experts and four more skills of level 1, three of which dispatch to fifteen of level 2."""
