"""Requests to URLs that users configure: the guarded HTTP client, its errors and the back-off."""
