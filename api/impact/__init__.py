"""What a draft of a release would change; see `report`."""
