"""The published language, made from the services' own models: schemas, AsyncAPI, what breaks."""
