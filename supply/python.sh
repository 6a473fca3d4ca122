#!/bin/sh
# Print the Python to work with: the first of these that is new enough and can make environments, unless a
# later one is quicker by a tenth or more. Two builds of one version differ by as much as a quarter.
fits='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
for python in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
	pace=$("$python" -c "$fits" >/dev/null && "$python" "$(dirname "$0")/pace.py") && echo "$pace $python"
done 2>/dev/null | awk '
	NR == 1 || $1 < 0.9 * best { best = $1; python = $2 }
	END { print python ? python : "python3" }'
