"""A benchmark of theories of masked autoencoders."""

__version__ = "0.1.0"
