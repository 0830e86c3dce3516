"""Study coverage: what CARE, police and the pair reach in X minutes, from where they stand."""
