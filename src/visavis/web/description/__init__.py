"""Descriptions of the operations of `web`, and the OpenAPI document."""
