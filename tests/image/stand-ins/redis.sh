#!/bin/sh
# What docker-compose.yml uses of the entrypoint of the image redis:7, and nothing else.
set -eu

chown redis:redis /data
exec setpriv --reuid=redis --regid=redis --clear-groups "$@"
