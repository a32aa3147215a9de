"""Trained models that come with the package, a folder each with its card; `derender --model NAME` takes them."""
