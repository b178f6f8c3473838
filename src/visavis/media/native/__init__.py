"""Packet path in C, which relays the packets of legs in a thread of its own.

It does what `Leg.receive_media` does in Python, for a fraction of the processor time and of the
delay. It is optional: without a C compiler at set-up the packet path in Python is used.
"""

from visavis.media.native.path import NativePath, is_available, is_chosen

__all__ = ["NativePath", "is_available", "is_chosen"]
