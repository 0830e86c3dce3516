"""Who may do what: keys and tokens, their roles, and the layer that asks for them."""
