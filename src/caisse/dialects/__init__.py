"""The wire: how partners and game providers speak to the ledger, one module for each edition.

Pure functions between bytes and the core's types: no I/O, no await, no store, no HTTP server. A dialect is a
table of endpoints (`table.Endpoint`); what serves it and what documents it both read the table.
"""
