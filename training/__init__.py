"""Training the models that ship with the service. Not part of the package: it runs from a checkout."""
