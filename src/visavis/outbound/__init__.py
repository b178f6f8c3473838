"""Requests to URLs that users configure: guarded HTTP client, its errors, and back-off."""
