#!/bin/sh
# A Worker program for the line mode: each line comes back in capitals. One `tr` per line, because a
# filter that waits for a full buffer before it writes would answer nothing.
#
#	worker-runtime --exec 'sh tests/examples/shout.sh'
while IFS= read -r line || [ -n "$line" ]; do
	printf '%s\n' "$line" | tr '[:lower:]' '[:upper:]'
done
