#!/bin/sh
# What docker-compose.yml needs before its first start: .env with new secrets, and a deployment to
# fill in. What is there already stays as it is.
set -eu
cd "$(dirname "$0")/.."
umask 077
if [ -e .env ]; then
    echo ".env is there already; nothing of it was changed."
else
    while IFS= read -r line; do
        case $line in
            SPOTWATCH_COMMUNITY=) printf '%s\n' "$line" ;; # the devices know it already
            [A-Z]*=) printf '%s%s\n' "$line" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" ;;
            *) printf '%s\n' "$line" ;;
        esac
    done < .env.example > .env.new
    mv .env.new .env
    echo "Made .env. Write the read community of your devices in it: SPOTWATCH_COMMUNITY."
fi
if [ -e deployment ]; then
    echo "deployment is there already; nothing of it was changed."
else
    # Readable by the container's user; the secrets are in .env, not here.
    umask 022
    mkdir deployment
    cp config/example/*.csv deployment/
    cp deploy/spotwatch.yaml deployment/
    echo "Made deployment, of a city that does not exist. Put yours in its place."
fi
