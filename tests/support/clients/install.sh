#!/bin/sh
# install.sh DIR: the official MCP clients (TypeScript, Python), the Inspector and the conformance
# suite, pinned by package.json and requirements.txt, into DIR.
set -eu
dir=$1
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$dir"
cp "$here/package.json" "$here"/*.mjs "$here"/*.py "$dir/"
echo "clients: installing the Node clients into $dir"
(cd "$dir" && npm install --silent --no-audit --no-fund --no-package-lock)
[ -x "$dir/venv/bin/python" ] || /usr/bin/python3 -m venv "$dir/venv"
echo "clients: installing the Python client into $dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
