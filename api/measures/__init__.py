"""What the programme measures of itself, day by day."""
