"""Descriptions of what `web` answers, and the OpenAPI document of them all."""
