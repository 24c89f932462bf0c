"""Looking at one row: turn by turn in a terminal, token by token as a page."""
