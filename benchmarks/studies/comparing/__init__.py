"""Study compare: scenarios side by side, replication by replication."""
