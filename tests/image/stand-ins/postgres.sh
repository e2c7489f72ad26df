#!/bin/sh
# What docker-compose.yml uses of the entrypoint of the image postgres:18, and nothing else.
set -eu

user='--reuid=postgres --regid=postgres --clear-groups'

install -d -o postgres -g postgres /var/run/postgresql
install -d -o postgres -g postgres -m 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$(mktemp)
  chown postgres "$password"
  printf %s "$POSTGRES_PASSWORD" >"$password"
  setpriv $user initdb -D "$PGDATA" -U postgres --pwfile="$password" --auth-local=trust \
    --auth-host=scram-sha-256 --encoding=UTF8 --locale=C \
    --locale-provider=builtin --builtin-locale=C.UTF-8
  rm "$password"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  {
    echo "listen_addresses = '*'"
    echo "unix_socket_directories = '/var/run/postgresql'"
  } >>"$PGDATA/postgresql.conf"
  # As in that image, this server has no TCP port: the health check must not find it.
  setpriv $user pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  for file in /docker-entrypoint-initdb.d/*.sql; do
    psql -v ON_ERROR_STOP=1 --no-psqlrc -U postgres -f "$file"
  done
  setpriv $user pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec setpriv $user "$@"
