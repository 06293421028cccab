"""An analysis by a model of which every number is checked against the figures that it was given."""
