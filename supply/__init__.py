"""What caisse is made of: its locks read, its bill of materials, and what is known against its parts."""
