#!/bin/sh
# The browser tests need Chromium and its driver; both come from the distribution.
set -eu
if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium and chromium-driver"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver >/dev/null
else
  echo "the browser tests need Chromium and its driver: run sudo apt-get install chromium chromium-driver" >&2
  exit 1
fi
