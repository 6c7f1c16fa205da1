"""A victim behind a service, over HTTP: server, client, accounts, journal."""
