"""The models and the loader of a deployment's files. Nothing else reads a configuration file."""
