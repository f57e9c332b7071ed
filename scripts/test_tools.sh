#!/bin/sh
# Install what the tests need and Debian has: a browser, a PostgreSQL server, fonts, a token.
# Without root, say in one sentence what to install; the tests that need it are skipped.
set -eu

missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
ls /usr/share/fonts/truetype/dejavu >/dev/null 2>&1 || missing="$missing fonts-dejavu-core"
command -v softhsm2-util >/dev/null 2>&1 || missing="$missing softhsm2"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Some tests will be skipped: install$missing (apt-get install$missing) to run them all."
    exit 0
fi

# The package would otherwise start a server of its own at once.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
fi
echo "Installing$missing for the tests."
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 - a list of packages
apt-get install -y -qq --no-install-recommends $missing >/dev/null
