#!/bin/sh
# Makes the password file from the environment, in memory, and becomes the broker.
set -eu
umask 077
cp /etc/spotwatch-mosquitto/acl /run/mosquitto/acl
printf '%s:%s\n%s:%s\n' \
    spotwatch "$SPOTWATCH_PASSWORD" access-points "$ACCESS_POINTS_PASSWORD" \
    > /run/mosquitto/passwords
mosquitto_passwd -U /run/mosquitto/passwords
unset ACCESS_POINTS_PASSWORD
exec mosquitto -c /etc/spotwatch-mosquitto/mosquitto.conf
