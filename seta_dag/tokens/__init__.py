"""2. From a conversation to token ids and a loss mask (rules R6 to R9)."""
