"""Use cases of people and programs, over ports that the outer packages implement."""
