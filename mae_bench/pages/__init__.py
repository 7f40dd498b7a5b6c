"""What the results look like to a reader: pages made of the CSVs."""
