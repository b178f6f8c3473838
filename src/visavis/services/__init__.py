"""Use cases: what people and machines ask of Visavis, over ports that the outer parts implement."""
