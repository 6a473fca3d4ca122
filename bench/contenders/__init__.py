"""Those who are measured: each knows how to set itself up, start, and take a workload."""
