"""Over commits: what changed between two of them, and in which direction."""
