"""What each recommendation saw, stored compactly, and its exact reproduction."""
