#!/bin/sh
# For a build sandbox, which has /bin/sh and no other program or folder that most systems have:
# rewrites the tests of this copy of the tree so that they use FOLDER... instead.
# usage: paths.sh FOLDER...   (the first has cat, env, sleep, touch)
set -eu
first=$1
search=$(IFS=: && printf '%s' "$*")
all() { find tests -name '*.[ch]' -exec sed -i -E "$@" {} +; }
all -e "s,(/usr)?/bin/(cat|env|sleep|touch)\",$first/\\2\",g" \
	-e "s,\"PATH=(/usr/bin:/bin|/bin:/usr/bin)([\"\\]),\"PATH=$search\\2,g"
# What a shell looks for when nobody told it where.
sed -i "s,^static char \\*empty.*,static char search[] = \"PATH=$search\"\\, *empty[] = {search\\, NULL};," \
	tests/unit/execution/test_spawn.c
# The sandbox's shell becomes its last command, and its old environment is gone.
sed -i 's,</proc/\$\$/environ",</proc/$$/environ; :",' tests/unit/execution/test_spawn.c
[ -d /usr ] || all -e 's,/usr(\\n)?",/etc\1",g' -e 's,cannot start usr:,cannot start etc:,'
