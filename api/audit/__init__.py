"""What is done with the audit log: checked, anchored, taken out, pruned."""
