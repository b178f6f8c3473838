"""The queries: what `services.ports` asks of each table. Every one names its site."""
