"""What the peers' own processes run. Only these modules import the peers' packages."""
