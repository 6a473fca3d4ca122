"""The open conformance kit: is an operator's wallet, or a provider's transfer API, right about the money?

It speaks HTTP only and knows nothing of any wallet's inside.
"""
