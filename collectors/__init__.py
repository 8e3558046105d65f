"""What speaks SNMP and MQTT, and the one thing that leaves it: the reading."""
