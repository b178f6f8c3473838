"""OAuth 2: Authlib's core, our rules, Starlette's requests."""
