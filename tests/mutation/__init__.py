"""Whether the suite notices a small change of a rule."""
