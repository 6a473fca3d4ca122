"""The OpenAPI document and its page, made from the dialects' tables."""
