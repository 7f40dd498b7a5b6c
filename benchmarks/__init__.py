"""How fast, and since when: benchmarks for asv; nothing here is a test."""
