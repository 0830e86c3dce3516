"""Where CARE should stand, given where SPD is: models with their bounds, and the study of them."""
