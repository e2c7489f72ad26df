#!/bin/sh
# The script healthcheck.sh of the image mariadb:11, with the two checks that docker-compose.yml uses.
set -eu

query() {
  mariadb --defaults-file=/var/lib/mysql/.my-healthcheck.cnf --host=127.0.0.1 --protocol=tcp \
    --skip-column-names --execute="$1"
}

for check in "$@"; do
  case $check in
    --connect) [ "$(query 'SELECT @@skip_networking')" = 0 ] ;;
    --innodb_initialized)
      [ "$(query "SELECT 1 FROM information_schema.ENGINES
        WHERE engine = 'innodb' AND support IN ('YES', 'DEFAULT', 'ENABLED')")" = 1 ]
      ;;
    *) echo "unknown check $check" >&2 && exit 1 ;;
  esac
done
