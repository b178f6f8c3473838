"""A whole cluster of real processes, storms of faults in it, and the promises that hold."""
