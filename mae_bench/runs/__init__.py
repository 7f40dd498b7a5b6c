"""Many cells: which are needed, who runs them, and what is measured on each."""
