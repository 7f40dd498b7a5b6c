"""The networks that methods share."""
