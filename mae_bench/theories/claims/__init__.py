"""Groups of predictions of one theory, where they fill more than its page.

A file holds one constant, number -> prediction, under its own name in capitals; the
theory's file takes it in.
"""
