"""The limits: what no encoder can exceed, exactly, in float64 and without training."""
