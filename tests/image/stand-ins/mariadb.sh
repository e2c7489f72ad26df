#!/bin/sh
# What docker-compose.yml uses of the entrypoint of the image mariadb:11, and nothing else.
set -eu

data=/var/lib/mysql
socket=/run/mysqld/mysqld.sock
user='--reuid=mysql --regid=mysql --clear-groups'
install -d -o mysql -g mysql /run/mysqld "$data"
if [ ! -d "$data/mysql" ]; then
  [ "$MARIADB_RANDOM_ROOT_PASSWORD" = yes ]
  setpriv $user mariadb-install-db --datadir="$data" --skip-test-db \
    --auth-root-authentication-method=normal
  # As in that image, this server has no TCP port: the health check must not find it.
  setpriv $user "$@" --datadir="$data" --socket="$socket" --skip-networking &
  until mariadb --socket="$socket" --user=root --execute="SELECT 1"; do sleep 0.2; done
  random() { od -An -tx1 -N24 /dev/urandom | tr -d ' \n'; }
  check_password=$(random)
  mariadb --socket="$socket" --user=root <<SQL
    CREATE DATABASE \`$MARIADB_DATABASE\`;
    CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '$MARIADB_PASSWORD';
    GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
    CREATE USER 'healthcheck'@'127.0.0.1' IDENTIFIED BY '$check_password';
    ALTER USER 'root'@'localhost' IDENTIFIED BY '$(random)';
SQL
  printf '[client]\nuser=healthcheck\npassword=%s\n' "$check_password" >"$data/.my-healthcheck.cnf"
  kill $!
  wait $!
fi
exec setpriv $user "$@" --datadir="$data" --socket="$socket"
