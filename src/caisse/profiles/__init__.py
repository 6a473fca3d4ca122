"""Policy profiles: one TOML file each. Operators add their own in a folder of theirs."""
