#!/bin/sh
# Installs whichlever @VERSION@ from the folder that this file lies in, without a network.
# It checks every file first, fetches nothing, and writes only DIR and DIR-@VERSION@-ID.
set -eu
umask 022
LC_ALL=C PIP_CONFIG_FILE=/dev/null CDPATH=''
export LC_ALL PIP_CONFIG_FILE
unset PYTHONPATH PYTHONHOME

usage() {
	cat <<-'END'
	usage: sh install.sh [--key NAME.pub] [--python PROGRAM] DIR
	       sh install.sh [--key NAME.pub] --check

	  DIR               where it is installed: DIR/bin/whichlever. DIR becomes a link to
	                    DIR-@VERSION@-ID; the same command from a newer kit moves the link.
	  --key NAME.pub    refuse a kit that the owner of this key did not sign (needs openssl)
	  --python PROGRAM  the Python @PYTHON@ to use (default: python@PYTHON@, python3 or python)
	  --check           check the kit and install nothing
	END
}

fail() {
	code=$1
	shift
	printf 'install.sh: %s\n' "$*" >&2
	exit "$code"
}

absolute() {
	case $1 in
	/*) printf '%s\n' "$1" ;;
	*) printf '%s/%s\n' "$PWD" "$1" ;;
	esac
}

key='' python='' check='' dir=''
while [ $# -gt 0 ]; do
	case $1 in
	--key | --python)
		[ $# -ge 2 ] || fail 2 "$1 needs a value"
		if [ "$1" = --key ]; then key=$(absolute "$2"); else python=$2; fi
		shift
		;;
	--check) check=yes ;;
	-h | --help)
		usage
		exit 0
		;;
	-*) fail 2 "unknown option $1; see sh install.sh --help" ;;
	*)
		[ -z "$dir" ] || fail 2 "give one DIR, not also $1"
		dir=$(absolute "${1%/}")
		;;
	esac
	shift
done
if [ -z "$check$dir" ]; then
	usage >&2
	exit 2
fi
case $python in
*/*) python=$(absolute "$python") ;;
esac
here=$(cd "$(dirname "$0")" && pwd -P)
cd "$here"

# 1. Who made it, where a key is given: before anything else is believed.

[ -f SHA256SUMS ] || fail 3 "SHA256SUMS is missing: this is no kit, or not all of one"
if [ -n "$key" ]; then
	[ -r "$key" ] || fail 2 "$key: cannot be read"
	[ -f SHA256SUMS.sig ] || fail 3 "this kit is not signed"
	command -v openssl >/dev/null || fail 2 "openssl is needed to check the signature"
	openssl dgst -sha256 -verify "$key" -signature SHA256SUMS.sig SHA256SUMS >/dev/null 2>&1 ||
		fail 3 "the signature does not hold for $key; nothing was installed"
	echo "signature: holds, by the owner of $key"
else
	echo "signature: not checked (--key NAME.pub); the checksums below tell damage, not forgery"
fi

# 2. Every file: listed, plain, unchanged, and none besides.

if command -v sha256sum >/dev/null; then
	sha256() { sha256sum "$@"; }
elif command -v shasum >/dev/null; then
	sha256() { shasum -a 256 "$@"; }
else
	fail 2 "sha256sum (or shasum) is needed to check the kit"
fi
[ -z "$(find . ! -type f ! -type d)" ] || fail 3 "a link or device lies in the kit; unpack it again"
listed=$(sed 's/^[0-9a-f]*  //' SHA256SUMS | sort)
found=$(find . -type f | sed 's|^\./||' |
	grep -v -x -e SHA256SUMS -e SHA256SUMS.sig -e model.sig | sort)
[ "$listed" = "$found" ] || fail 3 "files are missing or were added; unpack the kit again"
echo "checking $(printf '%s\n' "$found" | wc -l | tr -d ' ') files (@KIT_MB@ MB) ..."
if ! said=$(sha256 -c SHA256SUMS 2>/dev/null); then
	bad=$(printf '%s\n' "$said" | grep -v ': OK$' | head -n 1)
	fail 3 "${bad%%: *} is damaged; nothing was installed; copy the kit again"
fi
id=$(sha256 SHA256SUMS | cut -c 1-8)
echo "checksums: all hold; kit @VERSION@-$id"
if [ -n "$check" ]; then exit 0; fi

# 3. A Python that fits.

probe='
import os, platform, sys
want, place, glibc = sys.argv[1:]
have = "%d.%d" % sys.version_info[:2]
if have != want:
    sys.exit("is Python %s; this kit needs %s" % (have, want))
if sys.implementation.name != "cpython":
    sys.exit("is not CPython")
here = "%s-%s" % (sys.platform, platform.machine())
if here != place:
    sys.exit("is for %s; this kit is for %s" % (here, place))
if glibc:
    try:
        name, _, found = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        name, found = "", ""
    if name != "glibc":
        sys.exit("stands on another C library; this kit needs glibc %s" % glibc)
    if [int(n) for n in found.split(".")] < [int(n) for n in glibc.split(".")]:
        sys.exit("stands on glibc %s; this kit needs %s or newer" % (found, glibc))
try:
    import venv
except ImportError:
    sys.exit("has no venv module")
'
fits() { "$1" -I -c "$probe" '@PYTHON@' '@PLATFORM@' '@GLIBC@' 2>&1; }
if [ -n "$python" ]; then
	why=$(fits "$python") || fail 2 "$python $why"
else
	why=''
	for name in python@PYTHON@ python3 python; do
		command -v "$name" >/dev/null || continue
		if said=$(fits "$name"); then
			python=$name
			break
		fi
		why="; $name $said"
	done
	[ -n "$python" ] || fail 2 "no Python @PYTHON@ found$why; name one with --python"
fi

# 4. Room for it, and a place that is free or ours.

mkdir -p "$(dirname "$dir")"
parent=$(cd "$(dirname "$dir")" && pwd -P)
dir=$parent/$(basename "$dir")
real=$dir-@VERSION@-$id
if [ -L "$dir" ]; then
	case $(readlink "$dir") in
	"$(basename "$dir")"-*) ;;
	*) fail 2 "$dir is a link to something else; give another DIR" ;;
	esac
elif [ -e "$dir" ]; then
	fail 2 "$dir is there already; give another DIR, or move it away"
fi
point() { # the link moves in one step: no moment without a working DIR
	"$python" -I -c 'import os, sys
target, link = sys.argv[1:]
aside = "%s.%d" % (link, os.getpid())
os.symlink(target, aside)
os.replace(aside, link)' "$(basename "$real")" "$dir"
}
if [ -f "$real/share/whichlever/kit/kit.json" ]; then
	point
	echo "$dir: this kit was installed already; the link points to it"
	exit 0
fi
rm -rf "$real" # what a killed installation left
free=$(df -Pk "$parent" | awk 'NR == 2 { print $4 }')
[ "$free" -ge @NEEDS_KB@ ] || fail 2 "$parent has ${free} KB free; about @NEEDS_KB@ are needed"

# 5. Install, aside; what fails half-way is taken away again.

trap 'rm -rf "$real"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
echo "installing @PACKAGES@ packages (about @INSTALLED_MB@ MB); this takes a minute or more ..."
"$python" -I -m venv --without-pip "$real"
pip=$(echo wheels/pip-*.whl)
# Without a PATH: pip would run the rustc it finds there, to tell an index about it.
PATH=/nonexistent "$real/bin/python" -I "$here/$pip/pip" --isolated --disable-pip-version-check \
	--no-input --no-cache-dir install --quiet --no-warn-script-location --no-compile \
	--no-index --find-links "$here/wheels" --only-binary :all: \
	--require-hashes --requirement "$here/requirements.txt"
# Compiled on every core at once; pip would use one. What does not compile is a package's own.
"$real/bin/python" -I -m compileall -q -j 0 "$real/lib" >/dev/null 2>&1 || :
share=$real/share/whichlever
mkdir -p "$share/kit"
for part in weights bundles; do
	if [ -d "$part" ]; then cp -R "$part" "$share/$part"; fi
done
cp SHA256SUMS bom.cdx.json requirements.txt README.txt "$share/kit/"
"$real/bin/whichlever" --version >/dev/null || fail 2 "what was installed does not start"
cp kit.json "$share/kit/" # last: it says that all is there
point
trap - EXIT
echo "$dir/bin/whichlever: installed"
if [ -d bundles ]; then
	for bundle in bundles/*; do echo "$dir/share/whichlever/$bundle"; done
fi
