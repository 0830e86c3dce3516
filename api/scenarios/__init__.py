"""The scenario book: calls of a working day, each with the answer that the rules demand."""
