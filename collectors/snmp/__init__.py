"""SNMP: vendor profiles as data, two engines behind one interface, the poller."""
