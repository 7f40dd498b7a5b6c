"""What travels: the records, their rows on disk, and what is asked of both."""
