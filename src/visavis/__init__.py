"""Visavis: self-hosted audio and video chat for live chat."""

__version__ = "0.2.0"
