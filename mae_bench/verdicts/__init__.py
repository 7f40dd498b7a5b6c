"""What held: predictions judged, methods ranked, forecasts scored, from rows alone."""
