#!/bin/sh
# Installs Debian's Chromium and Chinese fonts for the browser tests, where that is allowed.
set -eu
if command -v chromium >/dev/null 2>&1 && fc-list 2>/dev/null | grep -qi 'noto.*cjk'; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "== installing chromium and fonts-noto-cjk =="
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig >/dev/null
else
    echo "!! chromium or fonts-noto-cjk is missing and cannot be installed by this user: browser tests will be skipped"
fi
