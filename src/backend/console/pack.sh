#!/bin/sh
# The files given as arguments, as one C file of byte arrays (backend/console.h). Comments that have
# their lines for themselves are for those who have the source: these lines are empty here.
set -eu
bare() {
	sed -e 's|^[[:blank:]]*/\*.*\*/$||' -e '\|^[[:blank:]]*/\*|,\|\*/$|s|.*||' "$1"
}
echo '#include "backend/console.h"'
for path; do
	name=$(basename "$path" | tr -c 'a-z0-9\n' '_')
	printf 'static const unsigned char %s[] = {\n' "$name"
	bare "$path" | od -An -v -tu1 | sed 's/  */,/g; s/^,//; s/$/,/'
	echo '};'
done
echo 'const struct wr_console_file wr_console_files[] = {'
for path; do
	base=$(basename "$path")
	name=$(echo "$base" | tr -c 'a-z0-9\n' '_')
	case $base in
	*.html) type='text/html; charset=utf-8' ;;
	*.css) type='text/css; charset=utf-8' ;;
	*.js) type='text/javascript; charset=utf-8' ;;
	esac
	[ "$base" = index.html ] && target=/ || target=/$base
	tag=$(bare "$path" | cksum | tr ' ' -)
	printf '\t{"%s", "%s", "\\"%s\\"", %s, sizeof %s},\n' "$target" "$type" "$tag" "$name" "$name"
done
echo '};'
echo 'const size_t wr_console_file_count = sizeof wr_console_files / sizeof wr_console_files[0];'
