"""The simulated fleet of the demo: devices that answer over real SNMP and real MQTT."""
