"""Calls over networks other than ours.

It is a package so that what its tests share ends with the last of them.
"""
