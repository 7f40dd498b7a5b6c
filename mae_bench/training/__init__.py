"""One cell: from its settings to a frozen encoder, alone, stacked, or over devices."""
