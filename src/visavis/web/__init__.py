"""HTTP and WebSockets: routes, the configuration API, signalling and the pages."""
