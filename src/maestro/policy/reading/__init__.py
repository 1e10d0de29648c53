"""A policy that reads the menu: it values a call by what the cards say and by what is on record, never by a name or a place."""
