"""Packet path in C, which relays the packets of legs in a thread of its own.

It does the same as `Leg.receive_media`, with less CPU time and delay. It is optional: if there was
no C compiler at set-up, the packet path in Python is used.
"""
