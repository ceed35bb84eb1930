#!/bin/sh
# What the tests ran of the codecs and of the store, from the counters that a MODE=coverage build
# leaves (make coverage): `sh tests/coverage.sh OBJECTS`.
#
# Two groups have a floor, each as a whole: 95 % of lines and 90 % of branches (reliability 14, T6).
#
#	codecs  src/bytes src/codec src/wire; the readers of children, models and name servers
#	store   src/io/store
#
# A branch is one way out of a condition as gcc counts them without optimisation: `a && b` has four.
# What is not counted, by rule:
#
#	- a statement that is only an assertion: wr_assert(), wr_assert_slow(), wr_unreachable(): the way
#	  it guards against is not there;
#	- a line with the comment "unreachable: REASON"; on the line of an `if` it takes that condition
#	  and the statement or block it guards, on the line of a `case` or `default` what follows up to
#	  the next label or the end of the switch. The comment is for what no input, no failed allocation
#	  and no failed call can bring about, and says why.
#
# Prints a line per file and per group; with WR_COVERAGE_MISSES=1 every line and branch not taken.
# The last line is "N passed, N failed", of groups.
set -u
objects=${1:?the folder of objects of a MODE=coverage build}
case ${CC:-cc} in
*clang*) gcov=${GCOV:-llvm-cov gcov} ;;
*) gcov=${GCOV:-gcov} ;;
esac
command -v "${gcov%% *}" >/dev/null 2>&1 || {
	echo "$gcov is not installed"
	exit 2
}

# shellcheck disable=SC2086
find "$objects/src" -name '*.gcno' | sort | xargs -n 32 $gcov -b -c -t 2>/dev/null |
	awk -v misses="${WR_COVERAGE_MISSES:-0}" '
function group_of(file) {
	if (file ~ /^src\/io\/store\//) return "store"
	if (file ~ /^src\/(bytes|codec|wire)\//) return "codecs"
	if (file ~ /^src\/execution\/(line_reader|jsonl|lossy)\./) return "codecs"
	if (file ~ /^src\/(execution\/openai_(answer|words)|io\/net\/dns_message)\./) return "codecs"
	return ""
}
function indent(text) { match(text, /^\t*/); return RLENGTH }

# Marks the lines of a file that are not counted.
function rules(file,    n, text, label, deep, open, until, kind) {
	known[file] = 1
	n = 0; kind = ""
	while ((getline text < file) > 0) {
		n++
		deep = indent(text)
		if (kind == "assert") {
			out[file, n] = 1
			if (text ~ /;[ \t]*(\/\*.*)?$/) kind = ""
			continue
		}
		if (kind == "guarded") { # condition over several lines, then one statement or a block
			out[file, n] = 1
			if (open && deep <= until) { kind = "" }
			else if (text ~ /\{[ \t]*(\/\*.*)?$/) open = 1
			else if (!open && text ~ /;[ \t]*(\/\*.*)?$/) kind = ""
			continue
		}
		if (kind == "label") {
			if (deep <= until) kind = ""
			else { out[file, n] = 1; continue }
		}
		if (text ~ /^[ \t]*(wr_assert|wr_assert_slow|wr_unreachable)\(/) {
			out[file, n] = 1
			if (text !~ /;[ \t]*(\/\*.*)?$/) kind = "assert"
		} else if (text ~ /unreachable: /) {
			out[file, n] = 1
			until = deep; open = (text ~ /\{[ \t]*\/\*/)
			if (text ~ /^[ \t]*(\} )?(else )?(if|while|for) \(/ || text ~ /^[ \t]*(\} )?else( \{)?[ \t]*\/\*/) kind = "guarded"
			else if (text ~ /^[ \t]*(case [^:]*|default):/) kind = "label"
			marked[file]++
		}
	}
	close(file)
}

/^ *-: *0:Source:/ { file = substr($0, index($0, "Source:") + 7); group = group_of(file); line = 0
	if (group != "" && !(file in known)) rules(file)
	next }
group == "" { next }
/^ *[-0-9#=*]+: *[0-9]+:/ {
	split($0, part, ":")
	line = part[2] + 0; branch = 0
	count = part[1]; gsub(/ /, "", count)
	if (count == "-" || line == 0) { line = count == "-" ? -1 : line; next }
	if ((file, line) in out) { line = -1; next }
	if (!((file, line) in ran)) ran[file, line] = 0
	if (count ~ /^[0-9]/) ran[file, line] = 1
	next
}
/^branch / && line > 0 {
	key = file SUBSEP line SUBSEP branch++
	if (!(key in way)) way[key] = 0
	if ($3 == "taken" && $4 > 0) way[key] = 1
}
END {
	for (key in ran) {
		split(key, part, SUBSEP)
		lines[part[1]]++; lines_ran[part[1]] += ran[key]
		if (misses && !ran[key]) printf "%s:%d: line not run\n", part[1], part[2] | "sort -t: -k1,1 -k2,2n"
	}
	for (key in way) {
		split(key, part, SUBSEP)
		ways[part[1]]++; ways_ran[part[1]] += way[key]
		if (misses && !way[key] && ran[part[1], part[2]])
			printf "%s:%d: branch %d not taken\n", part[1], part[2], part[3] | "sort -t: -k1,1 -k2,2n"
	}
	if (misses) close("sort -t: -k1,1 -k2,2n")
	for (file in known) if (file in lines) {
		group = group_of(file)
		print_line(file, lines_ran[file], lines[file], ways_ran[file], ways[file], "sort")
		all_lines[group] += lines[file]; all_ran[group] += lines_ran[file]
		all_ways[group] += ways[file]; all_taken[group] += ways_ran[file]
		all_marked += marked[file]
	}
	close("sort")
	failed = 0
	split("codecs store", names, " ")
	for (i = 1; i <= 2; i++) {
		group = names[i]
		if (!(group in all_lines)) continue
		print_line(group " together", all_ran[group], all_lines[group], all_taken[group], all_ways[group], "cat")
		close("cat")
		if (all_ran[group] * 100 < all_lines[group] * 95 || all_taken[group] * 100 < all_ways[group] * 90) {
			printf "%s: below 95 %% of lines or 90 %% of branches\n", group
			failed++
		} else passed++
	}
	printf "%d statements marked unreachable\n%d passed, %d failed\n", all_marked, passed, failed
	exit failed > 0 || passed == 0
}
function print_line(name, lines_ran, lines, ways_ran, ways, to) {
	printf "%-34s lines %5d of %5d %5.1f %%   branches %5d of %5d %5.1f %%\n", name, lines_ran, lines,
		lines ? 100 * lines_ran / lines : 100, ways_ran, ways, ways ? 100 * ways_ran / ways : 100 | to
}'
