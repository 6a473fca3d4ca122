"""The only place with SQL. Takes and returns types of the core; decides nothing."""
