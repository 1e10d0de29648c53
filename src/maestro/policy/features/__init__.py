"""A second embedded policy: frozen text and image features under a small network that values every action."""
