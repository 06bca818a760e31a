#!/usr/bin/env bash
# Fetches rsyslog, syslog-ng and loggen from Debian into a folder, without installing them: as
# packages they exclude each other, and the tests want both as senders and as peers.
#
#     scripts/senders.sh [FOLDER]        (default: target/senders)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-target/senders}

if [ -e "$folder/ready" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "senders.sh: needs apt-get and dpkg (Debian or Ubuntu)" >&2
    exit 1
fi

# What is missing on this machine of a package and of what it depends on, by name.
closure() {
    apt-get install --simulate --no-install-recommends "$@" | awk '/^Inst /{print $2}'
}

unpack() {
    local name=$1
    shift
    local wanted archives
    mapfile -t wanted < <({ closure "$@" && printf '%s\n' "$@"; } | sort -u)
    archives=$(mktemp -d)
    chmod 755 "$archives"
    (cd "$archives" && apt-get download -qq -o APT::Sandbox::User=root "${wanted[@]}")
    mkdir -p "$folder/$name"
    for archive in "$archives"/*.deb; do
        dpkg -x "$archive" "$folder/$name"
    done
    rm -r "$archives"
}

unpack rsyslog rsyslog rsyslog-relp rsyslog-gnutls
unpack syslog-ng syslog-ng-core
touch "$folder/ready"
