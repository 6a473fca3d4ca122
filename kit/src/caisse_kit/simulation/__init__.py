"""The provider as a source of load and chaos, with its own book and a reconciliation at the end."""
