#!/bin/sh
# usage: make-venv.sh PYTHON FOLDER
# Debian keeps ensurepip in a package of its own; it is installed where the rights are there.
set -eu
python=$1 folder=$2
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "accessboard needs Python 3.11 or later: install it, or say where it is with make PYTHON=/path/to/python3" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
  else
    echo "Python's venv module is missing: run sudo apt-get install python3-venv" >&2
    exit 1
  fi
fi
"$python" -m venv "$folder"
