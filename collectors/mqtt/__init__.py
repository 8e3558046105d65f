"""MQTT: the client that acknowledges only what is durable, and the payload formats."""
