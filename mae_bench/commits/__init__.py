"""Over commits: what each measures, and what changed between two of them."""
