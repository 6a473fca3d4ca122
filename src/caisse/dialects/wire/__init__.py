"""What all dialects are made of: values, tables, doors, login."""
