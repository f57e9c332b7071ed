#!/bin/sh
# Write constraints.txt again: the exact version of everything that is installed, no address.
set -eu
cd "$(dirname "$0")/.."
{
    echo "# Written by scripts/constraints.sh: versions only."
    {
        .venv/bin/uv pip compile pyproject.toml --extra dev --upgrade --quiet \
            --python .venv/bin/python --no-header --no-annotate --no-emit-index-url \
            --no-emit-find-links
        .venv/bin/python -m pip list --format freeze | grep '^uv=='
    } | sort -u
} > constraints.new
mv constraints.new constraints.txt
