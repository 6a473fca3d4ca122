"""The checks, a module for each group; `all.py` lists them."""
