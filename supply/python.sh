#!/bin/sh
# Print the Python to work with: the first of these that is new enough and can make environments, unless a
# later one is quicker by a tenth or more. Two builds of one version differ by as much as a quarter. They race
# five times in turn and the best time of each counts: a machine may be busy for a moment.
fits='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
pace="$(dirname "$0")/pace.py"
fit=$(for python in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
	"$python" -c "$fits" && echo "$python"
done 2>/dev/null)
for _ in 1 2 3 4 5; do
	for python in $fit; do
		echo "$python $("$python" "$pace")"
	done
done | awk '
	NF < 2 { next }
	!($1 in best) { order[++count] = $1; best[$1] = $2 }
	$2 < best[$1] { best[$1] = $2 }
	END {
		python = count ? order[1] : "python3"
		for (i = 2; i <= count; i++) if (best[order[i]] < 0.9 * best[python]) python = order[i]
		print python
	}'
